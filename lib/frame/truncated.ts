import { FrameError, type FramePart } from "./frame_error.ts";

/** The error of a stream that ended inside a part of a frame. */
export function truncated(part: FramePart, received: number, expected: number): FrameError {
  const message = `The stream ended inside the ${part.replace("-", " ")} of a frame: ` +
    `${received} of ${expected} bytes came`;
  return new FrameError("truncated", message, { part, received, expected });
}
