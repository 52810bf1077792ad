import { checkOptions } from "../../base/option_kinds.ts";
import { Frame } from "../../frame/mod.ts";
import type { FrameEvent } from "../frames/frame_watch.ts";
import { SecretFilter, withoutSecrets } from "./secrets.ts";

/** How frames are shown. */
export interface FrameViewOptions {
  /** Shows credentials as they are. @default {false} */
  readonly secrets?: boolean | undefined;
}

/** A frame in the form in which it is shown. */
export interface FrameView {
  /** The header's fields, without the four that every frame has. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** What the content is. */
  readonly contentType: string;
  /** Its encoding, or `binary`. */
  readonly contentEncoding: string;
  /** Bytes of the content, by its header. */
  readonly contentBytes: number;
  /** What is there of the content, if that is text. It may end within the content. */
  readonly text: string | undefined;
  /** What is there of the content. */
  readonly content: Uint8Array;
  /** Whether that is all of it. */
  readonly isWhole: boolean;
}

/** Makes a frame's view: text where the content is text, and without credentials. */
export function viewOf(event: FrameEvent, options: FrameViewOptions = {}): FrameView {
  checkOptions(options, { secrets: "flag" });
  const { header, isWhole } = event.frame;
  const {
    byteorder: _,
    "content-type": contentType,
    "content-encoding": contentEncoding,
    "content-length": contentBytes,
    ...rest
  } = header;
  // Answers tell no credentials, but what somebody publishes may look like one. Who is the client is
  // a guess where the beginning of a connection was not seen.
  const mayBeOfClient = event.direction === "up" || !event.connection.fromStart;
  const mayTell = !options.secrets && mayBeOfClient &&
    (header["op"] === undefined || event.kind === "hello");
  const shown = mayTell ? withoutCredentials(event) : undefined;
  const content = shown?.content ?? event.frame.content;
  const text = shown ? shown.text : textOf(event, content);
  return {
    fields: options.secrets ? rest : withoutSecrets(rest),
    contentType,
    contentEncoding,
    contentBytes,
    text,
    content,
    isWhole,
  };
}

interface Shown {
  readonly content: Uint8Array;
  readonly text: string | undefined;
}

/**
 * A content without credentials. Where it is text, that is what is looked at, whatever its encoding;
 * bytes in which they would not be found are those of the text, then.
 */
function withoutCredentials(event: FrameEvent): Shown {
  const { content } = event.frame;
  const filtered = new SecretFilter().filter(content);
  const text = textOf(event, content);
  if (text === undefined) return { content: filtered, text };
  const shown = new SecretFilter().filter(new TextEncoder().encode(text));
  const shownText = new TextDecoder().decode(shown);
  if (shownText === text || textOf(event, filtered) === shownText) {
    return { content: filtered, text: shownText };
  }
  return { content: shown, text: shownText };
}

/** Bytes that may be missing at the end of a text that is cut: of one character. */
const MAX_CHARACTER_BYTES = 4;

function textOf({ frame }: FrameEvent, content: Uint8Array): string | undefined {
  const { header, isWhole } = frame;
  if (header["content-encoding"] === "binary" || content.length === 0) return undefined;
  const cuts = isWhole ? 1 : MAX_CHARACTER_BYTES;
  for (let cut = 0; cut < cuts && cut < content.length; cut++) {
    try {
      return new Frame(header, content, 0, 0, content.length - cut).text();
    } catch {
      // It is no text, or its last character is cut.
    }
  }
  return undefined;
}
