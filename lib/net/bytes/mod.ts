/**
 * The parts of a connection that need no socket: buffers for bytes that were received and that are
 * to be sent, and the interface that a connection has to have. They use nothing of Deno or Node, so
 * they work in a browser.
 *
 * @module
 */
export { type ByteDuplex, duplexOf } from "./byte_duplex.ts";
export { ReadBuffer } from "./read_buffer.ts";
export { SharedMemory } from "./shared_memory.ts";
export { type ByteSink, WriteQueue } from "./write_queue.ts";
