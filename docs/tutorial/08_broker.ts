// Passes publications on to those who subscribe to their topics, and tells who is slow.
// deno run --allow-net docs/tutorial/08_broker.ts [HOST] [PORT]
import { encode, MessageStream } from "./05_message.ts";

/** Bytes that may wait for one subscriber. What comes beyond is left out, and counted. */
const MAX_WAITING = 65_536;

class Client {
  readonly topics = new Set<string>();
  #waiting: Uint8Array[] = [];
  #bytes = 0;
  #missed = 0;
  #isSending = false;
  constructor(readonly conn: Deno.Conn) {}

  /** Never waits: one slow subscriber must not stop the publisher, or the other subscribers. */
  send(bytes: Uint8Array): void {
    if (this.#bytes + bytes.length > MAX_WAITING) this.#missed++;
    else {
      this.#tellMissed();
      this.#waiting.push(bytes);
      this.#bytes += bytes.length;
    }
    if (!this.#isSending) void this.#sendAll();
  }

  /** A loss stands where it happened, before what comes after it. */
  #tellMissed(): void {
    if (this.#missed === 0) return;
    this.#waiting.push(encode({ op: "missed", count: this.#missed }, null));
    this.#missed = 0;
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true;
    try {
      for (let next = this.#waiting.shift(); next; next = this.#waiting.shift()) {
        for (let done = 0; done < next.length;) done += await this.conn.write(next.subarray(done));
        this.#bytes = Math.max(0, this.#bytes - next.length);
        if (this.#waiting.length === 0) this.#tellMissed();
      }
    } catch { /* The client is gone; reading from it tells the same. */ }
    this.#isSending = false;
  }
}

const clients = new Set<Client>();

async function serve(client: Client): Promise<void> {
  const stream = new MessageStream(client.conn);
  for (let message = await stream.read(); message; message = await stream.read()) {
    const { op, topic } = message.header;
    if (op === "sub") client.topics.add(String(topic));
    if (op !== "pub") continue;
    // Encoded once, however many get it.
    const bytes = encode({ op, topic }, JSON.parse(new TextDecoder().decode(message.content)));
    for (const each of clients) if (each.topics.has(String(topic))) each.send(bytes);
  }
}

const [hostname = "127.0.0.1", port = "5637"] = Deno.args;
const listener = Deno.listen({ hostname, port: Number(port) });
console.log(`listening on ${hostname}:${port}`);
for await (const conn of listener) {
  const client = new Client(conn);
  clients.add(client);
  serve(client).catch((error) => console.log(error.message)).finally(() => {
    clients.delete(client);
    conn.close();
  });
}
