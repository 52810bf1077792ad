/**
 * One thread of an echo server: listens on the shared port, serves, and reports what happens.
 *
 * @module
 */
import { listen } from "../net/mod.ts";
import type { EchoObserver, EchoServer } from "./echo_server.ts";
import { serveEcho } from "./serve_echo.ts";
import {
  sendError,
  sendPeer,
  type ThreadJob,
  type ThreadOrder,
  type ThreadReport,
} from "./thread_messages.ts";

/** How often figures are reported, in milliseconds. */
const FIGURES_MS = 100;

/** This thread; the compiler takes it for a window. */
const thread = globalThis as unknown as {
  onmessage: ((event: MessageEvent<ThreadOrder>) => void) | null;
  postMessage(report: ThreadReport): void;
  close(): void;
};

let server: EchoServer | undefined;

thread.onmessage = ({ data: order }) => {
  if (order.type === "serve") void serve(order.job);
  else if (order.type === "drain") void server?.drain();
  else void server?.[Symbol.asyncDispose]();
};

async function serve(job: ThreadJob): Promise<void> {
  const { address, tls, limits } = job;
  try {
    const listener = await listen(address, { tls, reusePort: true });
    server = serveEcho(listener, { ...limits, observer: reporter(job) });
  } catch (error) {
    thread.postMessage({ type: "failed", error: sendError(error) });
    return thread.close();
  }
  const running = server;
  thread.postMessage({ type: "listening", address: running.address });
  const timer = setInterval(
    () => thread.postMessage({ type: "figures", figures: running.figures() }),
    FIGURES_MS,
  );
  await running.finished;
  clearInterval(timer);
  thread.postMessage({ type: "finished", figures: running.figures(), forced: running.forced });
  thread.close();
}

function reporter({ report }: ThreadJob): EchoObserver {
  const observer: EchoObserver = {
    acceptFailed: (error) => thread.postMessage({ type: "accept-failed", error: sendError(error) }),
  };
  if (report.peers) {
    observer.opened = (peer) => thread.postMessage({ type: "opened", peer: sendPeer(peer) });
    observer.closed = (peer, reason, failure) => {
      const error = failure === undefined ? undefined : sendError(failure);
      thread.postMessage({ type: "closed", peer: sendPeer(peer), reason, error });
    };
  }
  if (report.bytes) {
    // A view would be cloned with all of the read buffer behind it.
    observer.received = (peer, bytes) =>
      thread.postMessage({ type: "received", peer: sendPeer(peer), bytes: bytes.slice() });
  }
  return observer;
}
