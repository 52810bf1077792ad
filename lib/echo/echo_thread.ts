/**
 * One thread of an echo server: listens on the port that the threads share, serves, and reports what
 * happens. Not for import: it is started as a worker.
 *
 * @module
 */
import { PeriodicLook } from "../base/periodic_look.ts";
import { openThreadPort } from "../base/threads/thread_port.ts";
import type { PostedError } from "../base/threads/error_codec.ts";
import { listen, type ServerTls } from "../net/mod.ts";
import type { EchoObserver, EchoServer } from "./echo_server.ts";
import { serveEcho } from "./serve_echo.ts";
import {
  ERRORS,
  sendPeer,
  type ThreadJob,
  type ThreadOrder,
  type ThreadReport,
} from "./thread_messages.ts";

/** The time between two reports of the figures, in milliseconds. */
const FIGURES_MS = 100;

let server: EchoServer | undefined;

const port = openThreadPort<ThreadOrder, ThreadReport>(ERRORS, async (order) => {
  if (order.type === "serve") await serve(order.job);
  else if (order.type === "renew-tls") await renewTls(order.tls);
  else if (order.type === "drain") await server?.drain();
  else await server?.[Symbol.asyncDispose]();
});

async function serve(job: ThreadJob): Promise<void> {
  const { address, tls, limits } = job;
  const listener = await listen(address, { tls, reusePort: true });
  const running = serveEcho(listener, { ...limits, observer: reporter(job) });
  server = running;
  port.report({ type: "listening", address: running.address });
  using look = new PeriodicLook(FIGURES_MS, () => {
    port.report({ type: "figures", figures: running.figures() });
  });
  look.start();
  await running.finished;
  port.report({ type: "finished", figures: running.figures(), forced: running.forced });
}

async function renewTls(tls: ServerTls): Promise<void> {
  let error: PostedError | undefined;
  try {
    await server?.renewTls(tls);
  } catch (cause) {
    error = ERRORS.encode(cause);
  }
  port.report({ type: "renewed-tls", error });
}

function reporter({ report }: ThreadJob): EchoObserver {
  const observer: EchoObserver = {
    acceptFailed: (error) => port.report({ type: "accept-failed", error: ERRORS.encode(error) }),
  };
  if (report.peers) {
    observer.opened = (peer) => port.report({ type: "opened", peer: sendPeer(peer) });
    observer.closed = (peer, reason, failure) => {
      const error = failure === undefined ? undefined : ERRORS.encode(failure);
      port.report({ type: "closed", peer: sendPeer(peer), reason, error });
    };
  }
  if (report.bytes) {
    // Copied, because posting a view clones the whole read buffer.
    observer.received = (peer, bytes) =>
      port.report({ type: "received", peer: sendPeer(peer), bytes: bytes.slice() });
  }
  return observer;
}
