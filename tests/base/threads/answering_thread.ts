/** A thread that answers each request with its bytes backwards, and each message with itself. */
import { ErrorCodec } from "../../../lib/base/threads/error_codec.ts";
import { AnsweringEnd, type LineMemory } from "../../../lib/base/threads/shared_line.ts";
import { openThreadPort } from "../../../lib/base/threads/thread_port.ts";

let end: AnsweringEnd | undefined;

const port = openThreadPort<LineMemory | number, number | string>(new ErrorCodec(), (order) => {
  if (typeof order === "object") end = new AnsweringEnd(order);
  else port.report(order);
  end!.received();
  while (true) {
    const why = end!.wait(20);
    if (why === "posted") return;
    if (why === "timed-out") {
      port.report("nobody asks");
      continue;
    }
    const { request } = end!;
    end!.answer.set(request.toReversed());
    end!.answered(request.length);
    port.report("answered");
  }
});
