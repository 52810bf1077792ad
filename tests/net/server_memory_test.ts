import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type Connection, serveConnections } from "../../lib/net/mod.ts";
import { type ConnectionMemory, ServerMemory } from "../../lib/net/server_memory.ts";
import type { ServeOptions } from "../../lib/net/serve.ts";
import { deadline, until } from "../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../support/peers.ts";

const MIB = 1_048_576;

/** A protocol of frames with their size in four bytes, each answered by as many bytes. */
async function serve(options: ServeOptions) {
  const observer = new Recorder();
  const server = serveConnections(await listenLocally(), { serve: echoFrames }, {
    observer,
    ...options,
  });
  return { server, observer };
}

async function echoFrames(connection: Connection): Promise<void> {
  const { input, output } = connection;
  while (await connection.read()) {
    for (let size = sizeOf(connection); size !== undefined; size = sizeOf(connection)) {
      output.buffer.append(new Uint8Array(size));
      input.consume(4 + size);
      connection.readFrames++;
      output.flush();
      await output.room();
    }
  }
  await connection.finish("done", true);
}

/** The size of the frame that is there whole. */
function sizeOf({ input: { bytes, start, end } }: Connection): number | undefined {
  if (end - start < 4) return undefined;
  const size = new DataView(bytes.buffer, start).getUint32(0);
  return end - start >= 4 + size ? size : undefined;
}

/** The first bytes of a frame that announces `size`. */
function partOf(size: number, sent: number): Uint8Array {
  const bytes = new Uint8Array(4 + sent);
  new DataView(bytes.buffer).setUint32(0, size);
  return bytes;
}

/** Sends until all is sent or the server closes. */
async function pour(client: RawClient, bytes: Uint8Array): Promise<void> {
  try {
    await client.send(bytes);
  } catch {
    // The server ended the connection: that is what it may do.
  }
}

Deno.test("frames that are never complete leave room for others, and go when their peers do", async () => {
  const { server, observer } = await serve({ maxUnfinishedBytes: 24 * MIB });
  await using _ = server;
  const holders = await Promise.all(
    Array.from({ length: 40 }, () => RawClient.connect(server.address)),
  );
  const pouring = holders.map((holder) => pour(holder, partOf(16 * MIB, 3 * MIB)));
  let most = 0;
  const watch = setInterval(() => most = Math.max(most, server.memory.unfinishedBytes), 1);
  await deadline(Promise.all(pouring), "the senders");
  await until(() => observer.reasons.includes("over-budget"), "there was not room for all");
  using healthy = await RawClient.connect(server.address);
  for (let i = 0; i < 5; i++) {
    await healthy.send(partOf(2 * MIB, 2 * MIB));
    let received = 0;
    while (received < 2 * MIB) received += (await healthy.chunk())!.length;
  }
  clearInterval(watch);
  assert(most <= 24 * MIB, `${most} bytes`);
  for (const client of [...holders, healthy]) client.close();
  await observer.ended(41);
  assertEquals(server.memory.unfinishedBytes, 0);
});

Deno.test("peers that do not read go when others need the room, those with the most first", async () => {
  const { server, observer } = await serve({
    maxUnreadBytes: 16 * MIB,
    maxPendingBytes: 2 * MIB,
  });
  await using _ = server;
  const deaf = await Promise.all(
    Array.from({ length: 40 }, () => RawClient.connect(server.address)),
  );
  // Of each answer, the kernel's buffers take what they hold, and the rest waits at the server.
  const asking = deaf.map((client) => pour(client, partOf(6 * MIB, 6 * MIB)));
  using healthy = await RawClient.connect(server.address);
  await until(() => observer.reasons.includes("over-budget"), "one that does not read was ended");
  await healthy.send(partOf(10, 10));
  assertEquals((await healthy.chunk())?.length, 10);
  await deadline(Promise.all(asking), "the clients");
  // Some may have sent all, and not been answered yet.
  await until(() => server.memory.unreadBytes < 17 * MIB, "it is about what it may be");
  for (const client of deaf) client.close();
  await observer.ended(40);
  await until(() => server.memory.unreadBytes === 0, "nothing waits");
});

/** A connection that only notes that it was evicted. */
class Owner {
  evicted = false;
  readonly memory: ConnectionMemory;
  constructor(server: ServerMemory) {
    this.memory = server.of(this);
  }
  evict(): void {
    this.evicted = true;
  }
}

Deno.test("the sum is what the connections hold, and never passes the bound of the input", () => {
  const step = fc.tuple(
    fc.nat({ max: 4 }),
    fc.constantFrom("need", "want", "shrink", "send", "sent", "close"),
    fc.integer({ min: 1, max: 400 }),
  );
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    const server = new ServerMemory(1_000, 1_000);
    const owners = Array.from({ length: 5 }, () => new Owner(server));
    for (const [index, action, bytes] of steps) {
      const { memory } = owners[index]!;
      if (action === "need") memory.grow(bytes, true);
      else if (action === "want") memory.grow(bytes, false);
      else if (action === "shrink") memory.shrink(Math.min(bytes, memory.inputBytes));
      else if (action === "send") memory.countOutput(bytes);
      else if (action === "sent") memory.countOutput(-Math.min(bytes, memory.outputBytes));
      else memory.close();
      const held = owners.reduce((sum, owner) => sum + owner.memory.inputBytes, 0);
      const waits = owners.reduce((sum, owner) => sum + owner.memory.outputBytes, 0);
      assertEquals([server.input.usedBytes, server.output.usedBytes], [held, waits]);
      assert(held <= 1_000);
    }
    for (const { memory } of owners) memory.close();
    assertEquals([server.input.usedBytes, server.output.usedBytes], [0, 0]);
  }));
});

Deno.test("of unfinished frames the one goes that has taken most for longest", async () => {
  const server = new ServerMemory(1_000, 1_000);
  const [small, large, late] = [new Owner(server), new Owner(server), new Owner(server)];
  assert(small.memory.grow(100, true));
  assert(large.memory.grow(800, true));
  await until(() => large.memory.inputCost(performance.now()) > 1_000, "some time has passed");
  assert(late.memory.grow(400, true));
  assertEquals([small.evicted, large.evicted], [false, true]);
  assert(!late.memory.grow(2_000, true), "more than there is");
  assertEquals(server.input.usedBytes, late.memory.inputBytes + small.memory.inputBytes);
});

Deno.test("few of those that are ended for others take their time, whose reads keep memory", async () => {
  let leaving = 0;
  let most = 0;
  const server = serveConnections(await listenLocally(), {
    async serve(connection) {
      let ending: Promise<void> | undefined;
      connection.onEvict = () => {
        most = Math.max(most, ++leaving);
        ending = connection.finish("over-budget", false).finally(() => leaving--);
      };
      while (await connection.read()) if (ending) return await ending;
    },
  }, { maxUnfinishedBytes: MIB });
  await using _ = server;
  const clients = [];
  for (let i = 0; i < 60; i++) {
    const client = await RawClient.connect(server.address);
    clients.push(client);
    await pour(client, partOf(MIB, 60_000));
  }
  await until(() => server.connections.size <= 20, "there is not room for all");
  // An eighth of the memory is for reads of 64 KiB.
  assert(most > 0 && most <= 3, `${most} at a time`);
  for (const client of clients) client.close();
});

Deno.test("nothing is kept of a connection that is ended for others, while its end goes on", async () => {
  const kept: number[] = [];
  const server = serveConnections(await listenLocally(), {
    async serve(connection) {
      let ending: Promise<void> | undefined;
      connection.onEvict = () => {
        kept.push(connection.input.bytes.length);
        ending = connection.finish("over-budget", false);
      };
      while (await connection.read()) if (ending) return await ending;
    },
  }, { maxUnfinishedBytes: 8 * MIB });
  await using _ = server;
  using first = await RawClient.connect(server.address);
  using second = await RawClient.connect(server.address);
  await first.send(partOf(16 * MIB, 3 * MIB));
  await until(() => server.memory.unfinishedBytes >= 4 * MIB, "the first frame is there");
  await deadline(pour(second, partOf(16 * MIB, 5 * MIB)), "the second frame");
  await until(() => kept.length > 0, "there was not room for both");
  assertEquals(kept, [0]);
});
