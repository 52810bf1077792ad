/** A NATS server of a few lines, which does what no real one can be made to do in time. */
import type { ClusterOptions } from "../../../../../lib/pubsub/broker/nats/cluster.ts";
import { deadline } from "../../../../support/deadline.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

const INFO = 'INFO {"version":"2.9.0","max_payload":1048576,"headers":true,"proto":1}\r\n';

/** A client of it. */
export class FakeClient implements Disposable {
  readonly conn: Deno.Conn;
  #text = "";

  constructor(conn: Deno.Conn) {
    this.conn = conn;
  }

  async send(text: string): Promise<void> {
    const bytes = encoder.encode(text);
    for (let at = 0; at < bytes.length;) at += await deadline(this.conn.write(bytes.subarray(at)));
  }

  /** Greets it, and accepts it. */
  async accept(): Promise<void> {
    await this.send(INFO);
    await this.heard("PING\r\n");
    await this.send("PONG\r\n");
  }

  /** Waits until it has sent a text; what came before that is forgotten. */
  async heard(text: string): Promise<void> {
    for (let at = -1; at < 0;) {
      at = this.#text.indexOf(text);
      if (at >= 0) this.#text = this.#text.slice(at + text.length);
      else if (!await this.read()) throw new Error(`it ended without ${text}`);
    }
  }

  /** The rest of the line that it is sending. */
  async line(): Promise<string> {
    while (!this.#text.includes("\r\n") && await this.read());
    return this.#text.slice(0, this.#text.indexOf("\r\n"));
  }

  /** Reads to its end. @returns Whether there is one: that it was reset counts. */
  async ended(): Promise<boolean> {
    try {
      while (await this.read());
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
    }
    return true;
  }

  /** Reads once; `false` at the end. */
  async read(): Promise<boolean> {
    const buffer = new Uint8Array(65_536);
    const count = await deadline(this.conn.read(buffer), "what the client sends");
    if (count !== null) this.#text += decoder.decode(buffer.subarray(0, count));
    return count !== null;
  }

  [Symbol.dispose](): void {
    this.conn.close();
  }
}

/** Takes clients one by one. */
export class FakeNats implements Disposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });

  get port(): number {
    return this.#listener.addr.port;
  }

  /** What links to it are made with. */
  get cluster(): ClusterOptions {
    return {
      hosts: [`127.0.0.1:${this.port}`],
      tls: false,
      caCert: undefined,
      login: undefined,
      name: "test",
      signal: new AbortController().signal,
    };
  }

  async next(): Promise<FakeClient> {
    return new FakeClient(await deadline(this.#listener.accept(), "a client"));
  }

  [Symbol.dispose](): void {
    this.#listener.close();
  }
}
