/**
 * Bytes of a connection without a socket: what came and is not dealt with, what is on its way out,
 * and both directions as a pair of functions. It uses nothing of one runtime, so it works in a
 * browser.
 *
 * @module
 */
export { type ByteDuplex, duplexOf } from "./byte_duplex.ts";
export { ReadBuffer } from "./read_buffer.ts";
export { SharedMemory } from "./shared_memory.ts";
export { type ByteSink, WriteQueue } from "./write_queue.ts";
