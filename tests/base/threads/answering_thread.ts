/**
 * A thread that answers each request with its bytes backwards, and each message with itself. One that
 * begins with {@linkcode LATE} is reported, and answered after the next message; one with
 * {@linkcode TELLS} after a report that has to be received before; one with {@linkcode SLOW} after a
 * millisecond.
 */
import { ErrorCodec } from "../../../lib/base/threads/error_codec.ts";
import { AnsweringEnd, type LineMemory } from "../../../lib/base/threads/shared_line.ts";
import { openThreadPort } from "../../../lib/base/threads/thread_port.ts";

const LATE = 255;
const TELLS = 254;
const SLOW = 253;

const SLEEP = new Int32Array(new SharedArrayBuffer(4));

let end: AnsweringEnd | undefined;
let late: Uint8Array | undefined;

const port = openThreadPort<LineMemory | number, number | string>(new ErrorCodec(), (order) => {
  if (typeof order === "object") end = new AnsweringEnd(order);
  else port.report(order);
  end!.received();
  if (late) answer(late);
  late = undefined;
  while (true) {
    const why = end!.wait(20);
    if (why === "posted") return;
    if (why === "timed-out") {
      port.report("nobody asks");
      continue;
    }
    const request = end!.request.slice();
    if (request[0] === LATE) {
      late = request;
      port.report("late");
      continue;
    }
    if (request[0] === TELLS) {
      end!.told();
      port.report("told");
    }
    if (request[0] === SLOW) Atomics.wait(SLEEP, 0, 0, 1);
    answer(request);
  }
});

function answer(request: Uint8Array): void {
  end!.answer.set(request.toReversed());
  if (!end!.answered(request.length)) port.report("answered");
}
