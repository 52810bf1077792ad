import { ByteCache } from "../base/byte_cache.ts";

/** The order of the bytes in a multi-byte number. */
export type ByteOrder = "little" | "big";

/**
 * The JSON header of a frame: four fields that every frame has, and any others. It is deeply
 * frozen, because frames whose headers have the same bytes share one object.
 */
export interface FrameHeader {
  /** The byte order of multi-byte numbers inside binary content. */
  readonly byteorder: ByteOrder;
  /** What the content is, e.g. `text/json`. */
  readonly "content-type": string;
  /** A text encoding, e.g. `utf-8`, or `binary`. */
  readonly "content-encoding": string;
  /** The size of the content in bytes. */
  readonly "content-length": number;
  /** Fields of the application. */
  readonly [field: string]: unknown;
}

/** The size of the largest header in bytes: its length is sent in two bytes. */
export const MAX_HEADER_BYTES = 65_535;

/** The fields that every frame has. */
export const FRAME_FIELDS: ReadonlySet<string> = new Set([
  "byteorder",
  "content-type",
  "content-encoding",
  "content-length",
]);

/**
 * Remembers parsed headers by their bytes, so that a header with the same bytes is not parsed
 * again. All connections of a server may share one cache, because headers are frozen.
 */
export class HeaderCache extends ByteCache<FrameHeader> {}
