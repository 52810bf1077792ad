import type { FrameHeader } from "./header.ts";

/** What is wrong with a content. */
export type ContentErrorCode = "unknown-encoding" | "bad-text" | "bad-json";

/** A content that is not what its header says. The stream of frames is not harmed by it. */
export class ContentError extends Error {
  /** The name of the class. */
  override readonly name = "ContentError";
  /** Which fault it is. */
  readonly code: ContentErrorCode;

  /** Made by the methods that read a content. */
  constructor(code: ContentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Decoders by the platform's name of the encoding: at most a few dozen exist. */
const decoders = new Map<string, TextDecoder>();

/**
 * Decodes text by the `content-encoding` of its header: any label that the platform's
 * `TextDecoder` knows, `_` read as `-`, and the spellings of Python's codecs that differ from
 * them (`latin-1`, `utf-8-sig`, `utf-16-be`). `utf-16` follows a byte order mark, without one the sender's
 * `byteorder`.
 *
 * @throws {ContentError} `unknown-encoding` or `bad-text`
 */
export function decodeText(content: Uint8Array, header: FrameHeader): string {
  const label = header["content-encoding"];
  const decoder = label === "utf-8" ? utf8 : findDecoder(label, content, header);
  try {
    return decoder.decode(content);
  } catch (cause) {
    throw new ContentError("bad-text", `The content is not ${decoder.encoding} text`, { cause });
  }
}

/** Decodes JSON. @throws {ContentError} */
export function decodeJson(content: Uint8Array, header: FrameHeader): unknown {
  const text = decodeText(content, header);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const detail = cause instanceof Error ? `: ${cause.message}` : "";
    throw new ContentError("bad-json", `The content is not JSON${detail}`, { cause });
  }
}

function findDecoder(label: string, content: Uint8Array, header: FrameHeader): TextDecoder {
  let name = label.trim().toLowerCase().replaceAll("_", "-");
  if (name === "utf-16" || name === "utf16") name = utf16(content, header);
  else if (name === "utf-8-sig") name = "utf-8";
  else name = name.replace(/^utf-?16-?(le|be)$/, "utf-16$1");
  const decoder = makeDecoder(name) ?? makeDecoder(name.replaceAll("-", ""));
  if (decoder) return decoder;
  const shown = JSON.stringify(label.length > 60 ? `${label.slice(0, 60)}...` : label);
  throw new ContentError("unknown-encoding", `The content-encoding ${shown} is not known`);
}

function utf16(content: Uint8Array, header: FrameHeader): string {
  if (content[0] === 0xff && content[1] === 0xfe) return "utf-16le";
  if (content[0] === 0xfe && content[1] === 0xff) return "utf-16be";
  return header.byteorder === "little" ? "utf-16le" : "utf-16be";
}

function makeDecoder(label: string): TextDecoder | undefined {
  const known = decoders.get(label);
  if (known) return known;
  try {
    const decoder = new TextDecoder(label, { fatal: true });
    if (decoders.size < 256) decoders.set(label, decoder);
    return decoder;
  } catch {
    return undefined;
  }
}
