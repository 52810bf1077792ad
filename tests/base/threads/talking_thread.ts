/** A thread that does what it is told: it answers, or dies in each way that there is. */
import { reportError } from "../../../lib/base/report.ts";
import { openThreadPort } from "../../../lib/base/threads/thread_port.ts";
import { type Order, TALK_ERRORS, talkError } from "./talk.ts";

const port = openThreadPort<Order, unknown>(TALK_ERRORS, (order): Promise<never> | void => {
  switch (order.type) {
    case "say":
      return port.report(order.text);
    case "throw":
      throw talkError();
    case "reject":
      return Promise.reject(talkError());
    case "throw later":
      setTimeout(() => {
        throw talkError();
      });
      return;
    case "reject later":
      setTimeout(() => void Promise.reject(talkError()));
      return;
    case "report what is none":
      return port.report(() => {});
    case "lose an error":
      return reportError(talkError(), order.text);
    case "hand back": {
      const { bytes } = order;
      port.report(bytes, [bytes.buffer]);
      return port.report(`${bytes.length} bytes left`);
    }
    case "flood":
      setInterval(() => port.report("again"), 1);
  }
});
