/** The order of the bytes in a multi-byte number. */
export type ByteOrder = "little" | "big";

/**
 * The JSON header of a frame: four fields that every frame has, and any others. A header object
 * may be shared by all frames whose headers were equal byte for byte, and is deeply frozen.
 */
export interface FrameHeader {
  /** The sender's byte order: it governs multi-byte numbers inside binary content. */
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

/** The largest header that the two length bytes can announce, in bytes. */
export const MAX_HEADER_BYTES = 65_535;

/** The fields that every frame has. */
export const FRAME_FIELDS: ReadonlySet<string> = new Set([
  "byteorder",
  "content-type",
  "content-encoding",
  "content-length",
]);
