import type { FrameHeader } from "./header.ts";

/** Why a content could not be decoded. */
export type ContentErrorCode = "unknown-encoding" | "bad-text" | "bad-json";

/** A content that is not what its header says. The frames after it can still be read. */
export class ContentError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "ContentError";
  /** What is wrong. */
  readonly code: ContentErrorCode;

  /** Made by `text()`, `json()` and the other methods that decode a content. */
  constructor(code: ContentErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Decoders by label; the platform knows a few dozen encodings, under more than 200 labels. */
const decoders = new Map<string, TextDecoder>();

/**
 * Decodes text by the `content-encoding` of its header. It takes every label that the platform's
 * `TextDecoder` knows, with `_` for `-`, and the names of Python's codecs that differ from those
 * (`latin-1`, `utf-8-sig`, `utf-16-be`). For `utf-16` a byte order mark decides, or else the
 * header's `byteorder`.
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
  const problem = name === "binary"
    ? "The content is bytes, not text: its content-encoding is binary"
    : `The content-encoding ${shown} is not known`;
  throw new ContentError("unknown-encoding", problem);
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
