import type { ReplyInit } from "../../request/mod.ts";

/** A larger content is sent in parts of this size: to copy 8 MiB at once takes more than 10 ms. */
const PART_BYTES = 128 * 1024;

/** A reply whose content, JSON in UTF-8, a worker has encoded. */
export function encodedReply(content: Uint8Array): ReplyInit {
  const header = { "content-type": "text/json", "content-encoding": "utf-8" };
  if (content.length <= PART_BYTES) return { header, content };
  return {
    header: { ...header, "content-length": content.length },
    content: partsOf(content),
  };
}

function partsOf(content: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(content.subarray(at, at + PART_BYTES));
      at += PART_BYTES;
      if (at >= content.length) controller.close();
    },
  });
}
