import { FrameDecoder } from "../../../frame/frame_decoder.ts";
import { HeaderCache } from "../../../frame/header.ts";
import { RUN_OP } from "../../protocol/run_frame.ts";

/** For the headers of frames that were not sent when a connection ended. */
const headerCache = new HeaderCache(64);

/** Counts the publications that end behind the first `takenBytes` bytes. */
export function publicationsIn(
  bytes: Uint8Array,
  takenBytes: number,
): { count: number; size: number } {
  const { frames } = new FrameDecoder({ maxContentBytes: Infinity, headerCache }).decode(bytes);
  let count = 0;
  let size = 0;
  for (const { header, start, end } of frames) {
    const { op } = header;
    if (end <= takenBytes || op !== "pub" && op !== RUN_OP) continue;
    count += op === RUN_OP ? header["count"] as number : 1;
    size += end - start;
  }
  return { count, size };
}
