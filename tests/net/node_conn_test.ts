import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { Duplex } from "node:stream";
import { ConnectionError } from "../../lib/net/mod.ts";
import { NodeConn, type StreamBase } from "../../lib/net/node_conn.ts";
import { deadline, pause, until } from "../support/deadline.ts";

const ADDRESS: Deno.NetAddr = { transport: "tcp", hostname: "192.0.2.1", port: 7 };

/** A stream of Node's whose other end is the test, and a connection made of it. */
class Fixture implements Disposable {
  /** What was written to the stream, and the functions that say that it was sent. */
  readonly written: { readonly bytes: Uint8Array; readonly sent: (error?: Error) => void }[] = [];
  ended = false;
  socketClosed = false;
  readonly stream: Duplex;
  readonly conn: NodeConn;

  constructor(base: Partial<StreamBase> = {}) {
    this.stream = new Duplex({
      allowHalfOpen: true,
      read() {},
      write: (bytes, _, sent) => void this.written.push({ bytes, sent }),
      final: (done) => {
        this.ended = true;
        done();
      },
    });
    this.conn = new NodeConn(this.stream, {
      localAddr: { ...ADDRESS, port: 8 },
      remoteAddr: ADDRESS,
      ref() {},
      unref() {},
      pull() {},
      closeSocket: () => void (this.socketClosed = true),
      ...base,
    });
  }

  /** The peer sends something. */
  arrive(...bytes: number[]): void {
    this.stream.push(Uint8Array.from(bytes));
  }

  [Symbol.dispose](): void {
    this.conn[Symbol.dispose]();
  }
}

async function read(conn: NodeConn, size: number): Promise<number[] | null> {
  const bytes = new Uint8Array(size);
  const count = await deadline(conn.read(bytes));
  return count === null ? null : [...bytes.subarray(0, count)];
}

function codeOf(cause: unknown): string {
  const address = { transport: "tcp", hostname: "192.0.2.1", port: 7 } as const;
  return new ConnectionError("read", address, cause).code;
}

Deno.test("a connection of a stream reads into the memory it is given, in as many pieces as that takes", async () => {
  using fixture = new Fixture();
  const { conn } = fixture;
  assertEquals([conn.remoteAddr, conn.localAddr.transport], [ADDRESS, "tcp"]);
  const reading = read(conn, 3);
  fixture.arrive(1, 2, 3, 4, 5);
  assertEquals(await reading, [1, 2, 3]);
  fixture.arrive(6);
  assertEquals(await read(conn, 0), []);
  assertEquals(await read(conn, 100), [4, 5, 6]);
  for (let i = 0; i < 10; i++) fixture.arrive(i);
  assertEquals(await read(conn, 4), [0, 1, 2, 3]);
  assertEquals(await read(conn, 100), [4, 5, 6, 7, 8, 9]);
});

Deno.test("a connection of a stream writes at the pace of the stream, 64 KiB at a time", async () => {
  using fixture = new Fixture();
  const bytes = new Uint8Array(100_000).fill(7);
  let count: number | undefined;
  const writing = fixture.conn.write(bytes).then((n) => count = n);
  await until(() => fixture.written.length === 1);
  await pause(5);
  assertEquals([count, fixture.written[0]!.bytes.length], [undefined, 65_536]);
  const kept = new Uint8Array(fixture.written[0]!.bytes);
  fixture.written[0]!.sent();
  assertEquals(await deadline(writing), 65_536);
  // From here on the memory is the caller's.
  bytes.fill(0);
  assertEquals(kept.every((byte) => byte === 7), true);
});

Deno.test("a write waits for room under the stream as well", async () => {
  const room = Promise.withResolvers<void>();
  using fixture = new Fixture({ room: () => room.promise });
  let done = false;
  const writing = fixture.conn.write(Uint8Array.of(1)).then(() => done = true);
  await until(() => fixture.written.length === 1);
  fixture.written[0]!.sent();
  await pause(5);
  assertEquals(done, false);
  room.resolve();
  assertEquals(await deadline(writing), true);
});

Deno.test("a stream that is pulled is asked for what is read, again until that is there", async () => {
  const pulls: number[] = [];
  using fixture = new Fixture({ pull: (bytes) => void pulls.push(bytes) });
  await pause(5);
  assertEquals(pulls, [], "nobody reads yet");
  const reading = read(fixture.conn, 100);
  await until(() => pulls.length === 1);
  // A part of a record is no byte of what it holds.
  fixture.conn.wake();
  await until(() => pulls.length === 2);
  fixture.arrive(1, 2);
  assertEquals(await reading, [1, 2]);
  assertEquals(pulls, [100, 100]);
});

Deno.test("either half can be closed alone", async () => {
  using fixture = new Fixture();
  const { conn } = fixture;
  await deadline(conn.closeWrite());
  assertEquals(fixture.ended, true);
  fixture.arrive(1);
  assertEquals(await read(conn, 10), [1]);
  fixture.stream.push(null);
  assertEquals(await read(conn, 10), null);
  assertEquals(await read(conn, 10), null);

  using other = new Fixture();
  other.stream.push(null);
  assertEquals(await read(other.conn, 10), null);
  const writing = other.conn.write(Uint8Array.of(1));
  await until(() => other.written.length === 1);
  other.written[0]!.sent();
  assertEquals(await deadline(writing), 1);
});

Deno.test("a stream that closes without an end is at its end", async () => {
  using fixture = new Fixture();
  const reading = read(fixture.conn, 10);
  fixture.stream.destroy();
  assertEquals(await reading, null);
});

Deno.test("closing rejects what waits, frees the socket, and is done once", async () => {
  const fixture = new Fixture();
  const { conn } = fixture;
  const failures = Promise.all([conn.read(new Uint8Array(1)), conn.write(Uint8Array.of(1))].map(
    (waiting) => waiting.then(() => "done", codeOf),
  ));
  conn.close();
  assertEquals(await deadline(failures), ["closed", "closed"]);
  assertEquals([fixture.socketClosed, fixture.stream.destroyed], [true, true]);
  assertThrows(() => conn.close(), Deno.errors.BadResource);
  conn[Symbol.dispose]();
  for (const call of [() => conn.read(new Uint8Array(1)), () => conn.write(Uint8Array.of(1))]) {
    assertEquals(codeOf(await deadline(assertRejects(call))), "closed");
  }
  assertEquals(codeOf(await deadline(assertRejects(() => conn.closeWrite()))), "closed");
});

Deno.test("what broke a stream is told to writers at once, to readers after what had come", async () => {
  for (
    const [code, expected] of [["ECONNRESET", "reset"], ["ERR_SSL_WRONG_VERSION_NUMBER", "tls"]]
  ) {
    using fixture = new Fixture();
    const { conn } = fixture;
    fixture.arrive(1);
    await until(() => fixture.stream.readableLength === 0);
    const writing = conn.write(Uint8Array.of(1)).then(() => "done", codeOf);
    fixture.stream.destroy(Object.assign(new Error("odd"), { code }));
    assertEquals(await deadline(writing), expected);
    assertEquals(await read(conn, 10), [1]);
    for (const call of [() => conn.read(new Uint8Array(1)), () => conn.write(Uint8Array.of(1))]) {
      assertEquals(codeOf(await deadline(assertRejects(call))), expected);
    }
  }
});

Deno.test("a connection of a stream has the streams that every connection has", async () => {
  using fixture = new Fixture();
  const { conn } = fixture;
  assert(conn.readable === conn.readable && conn.writable === conn.writable);
  const reader = conn.readable.getReader();
  fixture.arrive(1, 2);
  assertEquals((await deadline(reader.read())).value, Uint8Array.of(1, 2));
  const writer = conn.writable.getWriter();
  const writing = writer.write(new Uint8Array(70_000));
  for (let i = 0; i < 2; i++) {
    await until(() => fixture.written.length === i + 1);
    fixture.written[i]!.sent();
  }
  await deadline(writing);
  await deadline(writer.close());
  assertEquals(fixture.ended, true);
  await reader.cancel();
  assertEquals(fixture.socketClosed, true);
});
