/**
 * The types that a {@linkcode Frame} and what is sent refer to. An entry point that hands out frames
 * exports them too, so that its documentation is whole by itself.
 *
 * @module
 */
export type { EncodedFrame } from "./encoded_frame.ts";
export type { Frame } from "./frame.ts";
export type { HeaderInit, OutgoingFrame } from "./frame_encoder.ts";
export type { FrameInit } from "./frame_init.ts";
export type { ByteOrder, FrameHeader } from "./header.ts";
export type { NumberReader } from "./number_reader.ts";
export type { NumberArrays, NumberType } from "./numbers.ts";
export type { StreamedFrame } from "./streamed_frame.ts";
