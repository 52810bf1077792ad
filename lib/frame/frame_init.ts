import type { ByteBuffer } from "../base/byte_buffer.ts";
import { valueKind } from "../base/value_kind.ts";
import { EncodedFrame } from "./encoded_frame.ts";
import { type OutgoingFrame, writeFrame } from "./frame_encoder.ts";

/**
 * What can be sent as a frame: text or bytes, which are its content; an {@linkcode OutgoingFrame},
 * to give header fields too; or an {@linkcode EncodedFrame}, sent as it is.
 */
export type FrameInit = string | Uint8Array | OutgoingFrame | EncodedFrame;

/**
 * Encodes whatever can be sent as a frame behind what is in the buffer. On an error the buffer
 * holds what it held before.
 *
 * @throws {TypeError} if it is none of that, and says what was given.
 * @throws {RangeError | TypeError} as `writeFrame` does.
 */
export function appendFrame(buffer: ByteBuffer, frame: FrameInit): void {
  if (frame instanceof EncodedFrame) return buffer.append(frame.bytes);
  if (typeof frame === "string" || frame instanceof Uint8Array) frame = { content: frame };
  else if (!isOutgoingFrame(frame)) throw notSendable(frame);
  writeFrame(buffer, frame);
}

// An object with neither field is somebody's data, such as `{ result: 5 }`, and no empty frame.
function isOutgoingFrame(frame: unknown): boolean {
  return typeof frame === "object" && frame !== null && ("content" in frame || "header" in frame);
}

function notSendable(value: unknown): TypeError {
  return new TypeError(
    `Cannot send ${valueKind(value)} as a frame: ` +
      "give text, bytes or an object with header or content; jsonFrame() makes one of any JSON",
  );
}
