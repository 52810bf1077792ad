import { assert, assertEquals, assertInstanceOf, assertLess, assertRejects } from "@std/assert";
import { ByteBuffer, readMessages, writeFrameHead } from "../../lib/frame/mod.ts";
import {
  byteStream,
  Connection,
  ConnectionError,
  dial,
  listen,
  serveConnections,
} from "../../lib/net/mod.ts";
import { readInto } from "../frame/byte_source.ts";
import type { Turns } from "../../lib/net/turns.ts";
import { join } from "../frame/raw_frames.ts";
import { deadline, pause } from "../support/deadline.ts";
import { serveReset } from "../support/faulty_servers.ts";
import { soakSize } from "../support/soak_size.ts";
import { CA, SERVER_TLS } from "../support/tls.ts";

const MIB = 1_048_576;
/** So many times what a way of reading may take of memory comes. */
const TIMES = soakSize(1.5, 4);

/** Both ends of a connection. */
async function pair(tls: boolean): Promise<[near: Deno.Conn, far: Deno.Conn]> {
  using listener = await listen("127.0.0.1:0", { tls: tls ? SERVER_TLS : undefined });
  return await Promise.all([
    dial(listener.address, { tls: tls ? { caCerts: [CA] } : undefined }),
    listener.accept(),
  ]);
}

/** Sends the same bytes again and again, then closes its sending half. */
async function send(conn: Deno.Conn, total: number): Promise<void> {
  const chunk = pattern(256 * 1_024);
  for (let sent = 0; sent < total;) {
    sent += await conn.write(chunk.subarray(sent % chunk.length));
  }
  await conn.closeWrite();
}

function pattern(size: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: size }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
}

/** Ways to read a stream; what comes is good until the next. */
const READERS: Readonly<
  Record<string, (stream: ReadableStream<Uint8Array>) => AsyncIterable<Uint8Array>>
> = {
  "chunk by chunk": (stream) => stream,
  "into memory": (stream) => readInto(stream, 65_536, false),
  "into little memory": (stream) => readInto(stream, 1_000, false),
};

for (const [name, read] of Object.entries(READERS)) {
  for (const tls of [false, true]) {
    Deno.test(`byteStream() gives all bytes, ${name}${tls ? ", over TLS" : ""}`, async () => {
      const [near, far] = await pair(tls);
      using _ = near;
      using __ = far;
      const total = 3 * MIB;
      const sending = send(near, total);
      const expected = pattern(256 * 1_024);
      let at = 0;
      for await (const bytes of read(byteStream(far))) {
        for (const byte of bytes) {
          if (byte !== expected[at++ % expected.length]) throw new Error(`byte ${at - 1} is wrong`);
        }
      }
      await sending;
      assertEquals(at, total);
      // The end of what the peer sends is not the end of the connection.
      await far.write(Uint8Array.of(1));
      assertEquals(await near.read(new Uint8Array(1)), 1);
    });
  }
}

/** Sends `total` bytes; returns the memory that receiving them took at most, in bytes. */
async function memoryToRead(
  total: number,
  read: (bytes: ReadableStream<Uint8Array>) => AsyncIterable<Uint8Array>,
  head: Uint8Array = new Uint8Array(0),
): Promise<number> {
  const [near, far] = await pair(false);
  using _ = near;
  using __ = far;
  await near.write(head);
  const sending = send(near, total);
  const before = Deno.memoryUsage().external;
  let most = before;
  let received = 0;
  let looked = 0;
  for await (const { length } of read(byteStream(far))) {
    received += length;
    if (received - looked < 16 * MIB) continue;
    looked = received;
    most = Math.max(most, Deno.memoryUsage().external);
  }
  await sending;
  assertEquals(received, total);
  return most - before;
}

function headOf(contentLength: number): Uint8Array {
  const buffer = new ByteBuffer();
  writeFrameHead(buffer, {}, contentLength);
  return buffer.view();
}

for (
  const [name, read, limit] of [
    // Each chunk is new memory: how much there is at a time is up to the garbage collector.
    ["chunk by chunk", READERS["chunk by chunk"]!, 256 * MIB],
    ["into one memory", READERS["into memory"]!, 64 * MIB],
  ] as const
) {
  Deno.test(`more than memory may hold comes from a socket, ${name}`, async () => {
    await memoryToRead(64 * MIB, read);
    assertLess(await memoryToRead(TIMES * limit, read), limit);
  });

  Deno.test(`a content that is more than memory may hold comes from a socket, ${name}`, async () => {
    async function* readContent(bytes: ReadableStream<Uint8Array>) {
      for await (const message of readMessages(bytes)) yield* read(message.content);
    }
    await memoryToRead(64 * MIB, readContent, headOf(64 * MIB));
    const large = TIMES * limit;
    assertLess(await memoryToRead(large, readContent, headOf(large)), limit);
  });
}

Deno.test("byteStream() reads nothing before it is asked to", async () => {
  let reads = 0;
  const stream = byteStream({
    read(memory) {
      reads++;
      memory[0] = reads;
      return Promise.resolve(1);
    },
    close() {},
  });
  const reader = stream.getReader();
  await pause(0);
  assertEquals(reads, 0);
  assertEquals((await reader.read()).value, Uint8Array.of(1));
  await pause(0);
  assertEquals(reads, 1);
});

Deno.test("byteStream() gives each chunk in memory of its own", async () => {
  const [near, far] = await pair(false);
  using _ = near;
  using __ = far;
  const sending = send(near, MIB);
  const kept = await Array.fromAsync(byteStream(far));
  await sending;
  assertEquals(new Set(kept.map(({ buffer }) => buffer)).size, kept.length);
  assertEquals(kept.reduce((sum, { length }) => sum + length, 0), MIB);
});

Deno.test("cancelling byteStream() of a conn closes it", async () => {
  const [near, far] = await pair(false);
  using _ = near;
  await byteStream(far).cancel();
  assertEquals(await deadline(near.read(new Uint8Array(1))), null);
  let error: unknown;
  try {
    far.close();
  } catch (thrown) {
    error = thrown;
  }
  assertInstanceOf(error, Deno.errors.BadResource);
});

Deno.test("byteStream() fails with what the read fails with", async () => {
  await using server = await serveReset();
  for (const read of Object.values(READERS)) {
    using conn = await dial(server.address);
    await conn.write(Uint8Array.of(1));
    const error = await assertRejects(() => Array.fromAsync(read(byteStream(conn))));
    assertInstanceOf(error, Deno.errors.ConnectionReset);
  }
});

/** A server that does this with each connection; resolves to what it gives for the first one. */
async function servedBy<T>(
  serve: (connection: Connection) => Promise<T>,
  client: (conn: Deno.Conn) => Promise<void>,
): Promise<T> {
  const result = Promise.withResolvers<T>();
  await using server = await serveConnections("127.0.0.1:0", {
    async serve(connection) {
      await serve(connection).then(result.resolve, result.reject);
    },
  });
  using conn = await dial(server.address);
  await client(conn);
  return await deadline(result.promise);
}

for (const [name, read] of Object.entries(READERS)) {
  Deno.test(`byteStream() of a server's connection begins with what its input holds, ${name}`, async () => {
    const content = pattern(3 * MIB);
    const got = await servedBy(async (connection) => {
      // As a service that has read a header would: more came with it than that.
      while (connection.input.end - connection.input.start < 2_000) await connection.read();
      connection.input.consume(100);
      const parts: Uint8Array[] = [];
      for await (const part of read(byteStream(connection))) parts.push(part.slice());
      assertEquals(connection.input.start, connection.input.end);
      assertEquals(connection.readBytes, content.length);
      // It is the service's to end.
      assertEquals(connection.closeReason, undefined);
      connection.output.buffer.append(Uint8Array.of(7));
      await connection.finish("done", true);
      return join(...parts);
    }, async (conn) => {
      for (let at = 0; at < content.length;) at += await conn.write(content.subarray(at));
      await conn.closeWrite();
      const answer = new Uint8Array(1);
      assertEquals(await deadline(conn.read(answer)), 1);
      assertEquals(answer[0], 7);
    });
    assertEquals(got.length, content.length - 100);
    assert(got.every((byte, i) => byte === content[i + 100]));
  });
}

Deno.test("cancelling byteStream() of a server's connection leaves it open", async () => {
  await servedBy(async (connection) => {
    const reader = byteStream(connection).getReader();
    assertEquals((await reader.read()).value, Uint8Array.of(1));
    await reader.cancel();
    assertEquals(connection.closeReason, undefined);
    connection.output.buffer.append(Uint8Array.of(2));
    await connection.finish("done", false);
  }, async (conn) => {
    await conn.write(Uint8Array.of(1));
    assertEquals(await deadline(conn.read(new Uint8Array(1))), 1);
    conn.close();
  });
});

Deno.test("byteStream() of a server's connection fails with a ConnectionError", async () => {
  const error = await servedBy(async (connection) => {
    const reader = byteStream(connection).getReader();
    connection.close("forced");
    return await assertRejects(() => reader.read(), ConnectionError);
  }, async (conn) => void await conn.read(new Uint8Array(1)));
  assertEquals(error.operation, "read");
});

Deno.test("byteStream() of a server's connection gives others their turn", async () => {
  const [near, far] = await pair(false);
  using _ = near;
  const sending = send(near, MIB);
  let given = 0;
  let waiting = 0;
  const turns = {
    async take() {
      given++;
      waiting++;
      await pause(0);
      waiting--;
    },
  } as unknown as Turns;
  const connection = new Connection(far, 0, turns);
  let bytes = 0;
  for await (const { length } of READERS["into memory"]!(byteStream(connection))) {
    bytes += length;
    assertEquals(waiting, 0);
  }
  await sending;
  connection.close("done");
  assertEquals(bytes, MIB);
  // One for each 64 KiB, or for as many reads as brought them.
  assert(given >= 7 && given <= 16, `${given} turns`);
});
