// The search server with bounds: who is slow, silent, or one too many is let go.
// deno run --allow-net docs/tutorial/07_patient_server.ts [HOST] [PORT]
import { MessageStream } from "./05_message.ts";
import { answer } from "./06_search_server.ts";

const MAX_CLIENTS = 100;
/** A message that has begun must be there within this time, in milliseconds. */
const MESSAGE_MS = 500;
/** A client that says nothing for this long is not waited for. */
const IDLE_MS = 1_500;
/** An answer must be taken within this time: a peer that does not read fills the kernel's buffers. */
const WRITE_MS = 1_000;

const clients = new Set<Deno.Conn>();

async function serve(conn: Deno.TcpConn): Promise<void> {
  // With keep-alive the kernel probes a silent peer: one that lost its power sends no end.
  conn.setKeepAlive(true);
  const stream = new MessageStream(conn, 65_536);
  while (true) {
    const message = await within(IDLE_MS + MESSAGE_MS, "to say something", conn, stream.read());
    if (message === null) return;
    await within(WRITE_MS, "to take its answer", conn, stream.write({}, answer(message)));
  }
}

/** Closing the socket is what ends a read or write that waits. */
async function within<T>(ms: number, what: string, conn: Deno.Conn, work: Promise<T>): Promise<T> {
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    conn.close();
  }, ms);
  try {
    return await work;
  } catch (error) {
    throw isLate ? new Error(`it took more than ${ms} ms ${what}`) : error;
  } finally {
    clearTimeout(timer);
  }
}

const [hostname = "127.0.0.1", port = "5635"] = Deno.args;
const listener = Deno.listen({ hostname, port: Number(port) });
console.log(`listening on ${hostname}:${port}`);

// SIGTERM: no new clients; those that are here are served, and the process ends with the last one.
Deno.addSignalListener("SIGTERM", () => {
  console.log(`draining ${clients.size} clients`);
  listener.close();
});

let id = 0;
for await (const conn of listener) {
  if (clients.size >= MAX_CLIENTS) {
    conn.close();
    continue;
  }
  clients.add(conn);
  const name = `client ${++id}`;
  serve(conn as Deno.TcpConn)
    .then(
      () => console.log(`${name} has ended`),
      (error) => console.log(`${name}: ${error.message}`),
    )
    .finally(() => {
      clients.delete(conn);
      try {
        conn.close();
      } catch { /* It is closed: it was late. */ }
    });
}
