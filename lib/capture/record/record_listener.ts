import { checkGiven } from "../../base/option_kinds.ts";
import { type Address, addressOf, byteStream, type Listener } from "../../net/mod.ts";
import { connWritable } from "../../net/conn_writable.ts";
import type { ConnectionMemory, KeepingConn } from "../../net/server_memory.ts";
import type { RecordedConnection, Recorder } from "./recorder.ts";

/**
 * A listener whose connections are recorded: what the server reads and writes, without encryption
 * where that is TLS. It owns the given listener. The recorder is to be closed when the server has
 * ended.
 *
 * @example
 * ```ts
 * import { dial, listen } from "@socktool/socktool/net";
 * import { openRecorder, recordListener } from "@socktool/socktool/capture";
 * import { serveEcho } from "@socktool/socktool/echo";
 * import { assert } from "@std/assert";
 *
 * const path = await Deno.makeTempFile({ suffix: ".pcapng" });
 * {
 *   using recorder = openRecorder({ path });
 *   const listener = recordListener(await listen("127.0.0.1:0"), recorder);
 *   await using server = serveEcho(listener);
 *   using conn = await dial(server.address);
 *   await conn.write(new TextEncoder().encode("hello"));
 *   await conn.read(new Uint8Array(16));
 * }
 * const recording = new TextDecoder().decode(await Deno.readFile(path));
 * assert(recording.includes("hello"));
 * await Deno.remove(path);
 * ```
 *
 * @throws {TypeError} if one of them is no object.
 */
export function recordListener(listener: Listener, recorder: Recorder): Listener {
  checkGiven("listener", listener, "object");
  checkGiven("recorder", recorder, "object");
  return {
    address: listener.address,
    secure: listener.secure,
    handshakes: listener.handshakes,
    async accept() {
      const conn = await listener.accept();
      return new RecordingConn(conn, recorder, listener.address);
    },
    close: () => listener.close(),
    [Symbol.dispose]: () => listener.close(),
  };
}

/** A connection that records what is read from it and written to it. */
class RecordingConn implements Deno.Conn, KeepingConn {
  readonly #conn: Deno.Conn;
  readonly #recorded: RecordedConnection;
  #hasRead = false;
  #hasEnded = false;
  #readable: ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
  #writable: WritableStream<Uint8Array<ArrayBufferLike>> | undefined;

  constructor(conn: Deno.Conn, recorder: Recorder, listens: Address) {
    this.#conn = conn;
    this.#recorded = recorder.open(addressOf(conn.remoteAddr), localOf(conn, listens));
  }

  get localAddr(): Deno.Addr {
    return this.#conn.localAddr;
  }

  get remoteAddr(): Deno.Addr {
    return this.#conn.remoteAddr;
  }

  async read(into: Uint8Array): Promise<number | null> {
    let count: number | null;
    try {
      count = await this.#conn.read(into);
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionReset) this.#recorded.reset("up");
      throw error;
    }
    if (count === null) {
      this.#hasRead = true;
      this.#recorded.ended("up");
    } else this.#recorded.bytes("up", into.subarray(0, count));
    return count;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const count = await this.#conn.write(bytes);
    this.#recorded.bytes("down", bytes.subarray(0, count));
    return count;
  }

  async closeWrite(): Promise<void> {
    await this.#conn.closeWrite();
    this.#hasEnded = true;
    this.#recorded.ended("down");
  }

  close(): void {
    // Who closes before the client has ended does not take what that still sends.
    if (this.#hasRead || this.#hasEnded) this.#recorded.ended("down");
    if (!this.#hasRead) this.#recorded.reset("down");
    this.#conn.close();
  }

  ref(): void {
    (this.#conn as Deno.TcpConn).ref();
  }

  unref(): void {
    (this.#conn as Deno.TcpConn).unref();
  }

  /** Servers call it; connections that are no sockets have none. */
  setNoDelay(noDelay?: boolean): void {
    if ("setNoDelay" in this.#conn) (this.#conn as Deno.TcpConn).setNoDelay(noDelay);
  }

  /** Servers call it; connections that leave everything to the kernel have none. */
  countIn(memory: ConnectionMemory): void {
    if ("countIn" in this.#conn) (this.#conn as unknown as KeepingConn).countIn(memory);
  }

  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#readable ??= byteStream(this);
  }

  get writable(): WritableStream<Uint8Array<ArrayBufferLike>> {
    return this.#writable ??= connWritable(this);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** This end; a Unix socket's connections do not know its path. */
function localOf({ localAddr }: Deno.Conn, listens: Address): Address {
  return listens.transport === "unix" ? listens : addressOf(localAddr);
}
