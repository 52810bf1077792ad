/**
 * Numbers of the pcapng format (draft-ietf-opsawg-pcapng) that its reader and its writer share.
 *
 * @module
 */

/** Types of blocks. */
export const BLOCK = {
  section: 0x0a0d0d0a,
  interface: 1,
  /** A packet in the form that the format had before 2009. */
  oldPacket: 2,
  simplePacket: 3,
  packet: 6,
} as const;

/** Codes of options. */
export const OPTION = {
  end: 0,
  comment: 1,
  /** Of a section: the program that wrote it. */
  application: 4,
  /** Of an interface: what it is. */
  description: 3,
  /** Of an interface: the unit of its timestamps. */
  timeResolution: 9,
  /** Of an interface: seconds to be added to its timestamps. */
  timeOffset: 14,
} as const;

/** Tells the byte order of a section. */
export const BYTE_ORDER_MAGIC = 0x1a2b3c4d;

/** Every block has its type, and its length twice. */
export const BLOCK_FRAME_BYTES = 12;

/** Blocks and options are filled up to a multiple of four bytes. */
export function padded(bytes: number): number {
  return (bytes + 3) & ~3;
}
