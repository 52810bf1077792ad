/**
 * The frame codec: a 2-byte length, a JSON header, any content. It does no I/O and uses nothing of
 * Deno or Node, so it works in a browser.
 *
 * There are three ways to decode the same frames: {@linkcode FrameDecoder} in the caller's buffer,
 * which is the fastest; {@linkcode ChunkDecoder} for chunks; and {@linkcode readMessages} for Web
 * Streams with content of any size.
 *
 * @module
 */
export { FrameError } from "./frame_error.ts";
export type { FrameErrorCode, FrameErrorDetails, FramePart } from "./frame_error.ts";
export { ContentError } from "./content.ts";
export type { ContentErrorCode } from "./content.ts";
export { type ByteOrder, type FrameHeader, HeaderCache, MAX_HEADER_BYTES } from "./header.ts";
export { ByteCache } from "../base/byte_cache.ts";
export { Frame } from "./frame.ts";
export { DEFAULT_MAX_CONTENT_BYTES, FrameDecoder } from "./frame_decoder.ts";
export type { FrameBatch, FrameDecoderOptions } from "./frame_decoder.ts";
export { ChunkDecoder } from "./chunk_decoder.ts";
export { ByteBuffer } from "../base/byte_buffer.ts";
export { EncodedHead } from "./encoded_head.ts";
export { encodeFrame, encodeHead, jsonFrame, writeFrame, writeFrameHead } from "./frame_encoder.ts";
export type { HeaderInit, OutgoingFrame } from "./frame_encoder.ts";
export { EncodedFrame } from "./encoded_frame.ts";
export { appendFrame } from "./frame_init.ts";
export type { FrameInit } from "./frame_init.ts";
export { isStreamedFrame } from "./streamed_frame.ts";
export type { StreamedFrame } from "./streamed_frame.ts";
export { ContentStreamError } from "./content_stream_error.ts";
export type { ContentStreamErrorCode } from "./content_stream_error.ts";
export { HOST_BYTE_ORDER } from "./numbers.ts";
export { NumberReader } from "./number_reader.ts";
export { NumberWriter } from "./number_writer.ts";
export type { NumberArrays, NumberType } from "./numbers.ts";
export { FrameDecoderStream, FrameEncoderStream } from "./frame_streams.ts";
export type { FrameDecoderStreamOptions } from "./frame_streams.ts";
export { readMessages } from "./read_messages.ts";
export type { ReadMessagesOptions } from "./read_messages.ts";
export { StreamedMessage } from "./streamed_message.ts";
