/** A packet as a capture file has it. A file's reader uses one object for all of its packets. */
export class CapturedPacket {
  /** When it was captured, in microseconds since 1970. */
  timeUs = 0;
  /** What its bytes begin with: a `LINKTYPE_` number, see {@linkcode LINK}. */
  linkType = 0;
  /** What was captured of it: a view, valid until the callback returns. */
  data: Uint8Array = new Uint8Array(0);
  /** The size it had on the network; more than `data` has where the capture cut it off. */
  originalBytes = 0;
}

/** Takes the packets of a capture, in the file's order. */
export type PacketSink = (packet: CapturedPacket) => void;

/** Reads the blocks of one format from the caller's buffer. */
export interface PacketParser {
  /**
   * Reads the whole blocks in `buffer[start, end)`.
   *
   * @returns how many bytes were read; the next call has to begin with the rest.
   * @throws {CaptureError} if the file is damaged there. Packets before that were handed out.
   */
  parse(buffer: Uint8Array, start: number, end: number, sink: PacketSink): number;
}

/** Link types that are understood, by the numbers of the registry of LINKTYPE values. */
export const LINK = {
  null: 0,
  ethernet: 1,
  /** Raw IP as BSD systems number it in files of their own. */
  bsdRaw: 12,
  openBsdRaw: 14,
  raw: 101,
  loop: 108,
  linuxCooked: 113,
  ipv4: 228,
  ipv6: 229,
  linuxCooked2: 276,
} as const;

/** A block larger than this is taken for damage: the largest packets have 256 KiB. */
export const MAX_BLOCK_BYTES = 16_777_216;
