/** A WebSocket as a connection: what it keeps of messages, and when it takes no more. */
import { EventEmitter } from "node:events";
import { assert, assertEquals, assertLess, assertRejects } from "@std/assert";
import fc from "fast-check";
import { ConnStream } from "../../lib/net/conn_stream.ts";
import { ServerMemory } from "../../lib/net/server_memory.ts";
import { WebSocketConn } from "../../lib/net/web_socket_conn.ts";
import { WebSocketInput } from "../../lib/net/web_socket_input.ts";
import { deadline } from "../support/deadline.ts";

/** What `ws` gives, as far as it is used. */
class FakeWebSocket extends EventEmitter {
  isPaused = false;
  pause = () => void (this.isPaused = true);
  resume = () => void (this.isPaused = false);
  terminate = () => {};

  message(bytes: Uint8Array): void {
    this.emit("message", bytes, true);
  }
}

function open() {
  const silent = { read: () => new Promise(() => {}), close() {} };
  const socket = new FakeWebSocket();
  const under = new ConnStream(silent as unknown as Deno.Conn);
  const conn = new WebSocketConn(socket as never, under, new WebSocketInput());
  const memory = new ServerMemory(1_048_576, 1_048_576);
  conn.countIn(memory.of({ evict() {} }));
  return { socket, conn, memory };
}

async function read(conn: Deno.Conn, size: number): Promise<Uint8Array> {
  const into = new Uint8Array(size);
  return into.subarray(0, (await deadline(conn.read(into), "a read"))!);
}

Deno.test("messages that wait are kept without the memory that they came in, and count", async () => {
  const { socket, conn, memory } = open();
  using _ = conn;
  const packet = new Uint8Array(65_536).fill(7);
  for (let at = 0; at < 20_000; at++) socket.message(packet.subarray(at, at + 1));
  // What they came in is used again.
  packet.fill(0);
  const kept = memory.input.usedBytes;
  assert(kept > 15_000 && kept < 40_000, `${kept} are counted`);
  let count = 0;
  while (count < 20_000) {
    const bytes = await read(conn, 3_000);
    assert(bytes.every((byte) => byte === 7));
    count += bytes.length;
  }
  assertEquals([count, memory.input.usedBytes], [20_000, 0]);
});

Deno.test("each part of a message that is not whole counts with what the runtime takes for it", () => {
  const memory = new ServerMemory(1_048_576, 1_048_576);
  const input = new WebSocketInput();
  input.countIn(memory.of({ evict() {} }));
  // A message of 1,000 bytes, of which 200 come, a packet each.
  for (const byte of [0x82, 0x80 | 126, 3, 232, 0, 0, 0, 0]) input.arrived(Uint8Array.of(byte));
  for (let i = 0; i < 192; i++) input.arrived(Uint8Array.of(1));
  const each = (memory.input.usedBytes + 4_096) / 200;
  assert(each > 700 && each < 1_000, `${each} bytes for each`);
});

Deno.test("while much waits to be read nothing more is taken, whatever it comes in", async () => {
  const { socket, conn } = open();
  using _ = conn;
  let sent = 0;
  for (; !socket.isPaused; sent++) socket.message(Uint8Array.of(sent));
  assertLess(sent, 70_000);
  assertEquals((await read(conn, 100_000)).length, sent);
  const reading = read(conn, 10);
  assertEquals(socket.isPaused, false);
  socket.message(Uint8Array.of(1, 2));
  assertEquals(await reading, Uint8Array.of(1, 2));
});

Deno.test("bytes are read in order, wherever messages and reads cut them", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(40), fc.nat(2), fc.integer({ min: 1, max: 30 })), { minLength: 1 }),
      async (steps) => {
        const { socket, conn } = open();
        using _ = conn;
        let sent = 0;
        let got = 0;
        const check = (bytes: Uint8Array) =>
          bytes.forEach((byte) => assertEquals(byte, got++ % 256));
        for (const [length, messages, size] of steps) {
          // The read waits already, if all before it was read.
          const reading = got === sent ? read(conn, size) : undefined;
          for (let i = 0; i <= messages; i++) {
            socket.message(Uint8Array.from({ length }, () => sent++ % 256));
          }
          if (reading && got === sent) socket.message(Uint8Array.of(sent++ % 256));
          if (reading) check(await reading);
          else if (got < sent) check(await read(conn, size));
        }
        while (got < sent) check(await read(conn, 7));
        socket.emit("close");
        assertEquals(await conn.read(new Uint8Array(1)), null);
      },
    ),
    { numRuns: 100 },
  );
});

Deno.test("closing rejects a read that waits, and nothing is written into its memory after that", async () => {
  const { socket, conn } = open();
  const into = new Uint8Array(4);
  const reading = assertRejects(() => conn.read(into), Deno.errors.Interrupted);
  conn.close();
  socket.message(Uint8Array.of(1, 2, 3));
  await deadline(reading, "the end of the read");
  assertEquals([...into], [0, 0, 0, 0]);
});
