/** Clients that come at once, or that have reset before a proxy sees them, or for whom it has no descriptor. */
import { assert, assertEquals } from "@std/assert";
import { concat } from "@std/bytes";
import { dial, listen, type TcpAddress } from "../../lib/net/mod.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import { areDescriptorsScarce } from "../../lib/net/giving_way.ts";
import type { Turns } from "../../lib/net/turns.ts";
import { Entrance } from "../../lib/proxy/entrance.ts";
import { listenSockets } from "../../lib/proxy/listen_sockets.ts";
import { PlainListener } from "../../lib/proxy/plain_listener.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { ReadBudget } from "../../lib/proxy/read_memory.ts";
import type { Side, SideEvents } from "../../lib/proxy/side.ts";
import { LOOPBACK } from "../support/peers.ts";
import { deadline, until } from "../support/deadline.ts";
import { findProgram } from "../support/find_program.ts";
import { script, ServerProgram } from "../support/programs.ts";
import { SERVER_TLS, TLS_FILES, TRUSTING } from "../support/tls.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled } from "../support/tools.ts";

/** A multiple of the kinds below. */
const RESETS = 240;

/** How many files a proxy may have open. */
const OPEN_FILES = 64;

/** Connects, sends nothing, a byte or many, and resets: PORT COUNT. */
const RESETTING = `
import socket, struct, sys
for i in range(int(sys.argv[2])):
    sock = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    sock.sendall(b"x" * (0, 1, 100000)[i % 3])
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()
`;

/** Turns of which the first few need not be waited for; the others are given by the test. */
class GivenTurns implements Pick<Turns, "take" | "takeIfBusy" | "takeToEnd"> {
  /** How many more need not be waited for. */
  left: number;
  #turn = Promise.withResolvers<void>();
  readonly #awaited = Promise.withResolvers<void>();

  constructor(left: number) {
    this.left = left;
  }

  /** Resolves when a turn is waited for. */
  get awaited(): Promise<void> {
    return this.#awaited.promise;
  }

  /** Gives those their turn who wait for it. */
  give(): void {
    const { resolve } = this.#turn;
    this.#turn = Promise.withResolvers();
    resolve();
  }

  take() {
    return undefined;
  }

  takeToEnd() {
    return undefined;
  }

  takeIfBusy(): Promise<void> | undefined {
    if (this.left-- > 0) return undefined;
    this.#awaited.resolve();
    return this.#turn.promise;
  }
}

/** Closes the sides that a listener has accepted, and their clients. */
function closeAll(sides: readonly Side[], clients: readonly Deno.Conn[]): void {
  for (const side of sides) {
    side.listen({ closed() {} } as unknown as SideEvents);
    side.close();
  }
  for (const client of clients) client.close();
}

/** Resets connections while this program does nothing, so that it has accepted none of them. */
function resetMany({ port }: TcpAddress): void {
  const args = ["-c", RESETTING, `${port}`, `${RESETS}`];
  const { success } = new Deno.Command(findProgram("python3")!, { args }).outputSync();
  assertEquals(success, true);
}

Deno.test("the runtime's handles are known; where they are not, Deno's listener accepts", async () => {
  const { canServe } = PlainListener;
  await using echo = await serveEcho(LOOPBACK);
  for (const isKnown of [true, false]) {
    for (const tls of [undefined, SERVER_TLS]) {
      PlainListener.canServe = (server) => canServe(server) && isKnown;
      try {
        using listener = await listenSockets(LOOPBACK, { tls });
        assertEquals(listener.constructor.name === "ConnListener", !isKnown);
        assertEquals(listener.secure, tls !== undefined);
      } finally {
        PlainListener.canServe = canServe;
      }
    }
  }
  PlainListener.canServe = () => false;
  try {
    await using proxy = await serveProxy(LOOPBACK, echo.address);
    using conn = await dial(proxy.address);
    await conn.write(new Uint8Array([7]));
    assertEquals(await conn.read(new Uint8Array(9)), 1);
  } finally {
    PlainListener.canServe = canServe;
  }
});

Deno.test("of clients that come at once a few are accepted, then others have their turn", async () => {
  const CLIENTS = 40;
  using listener = await listenSockets(LOOPBACK);
  const conns: Deno.Conn[] = [];
  for (let i = 0; i < CLIENTS; i++) conns.push(await dial(listener.address));
  const turns = new GivenTurns(3);
  const accepted: Side[] = [];
  const ports: number[] = [];
  let step = 0;
  const steps = new Set<number>();
  listener.serve({
    accepted(side, number) {
      accepted.push(side);
      ports[number - 1] = (side.remote as TcpAddress).port;
      steps.add(step);
    },
    failed: (error) => {
      throw error;
    },
  }, { turns: turns as unknown as Turns, reads: new ReadBudget() });
  await deadline(turns.awaited);
  // What else is there would be accepted while this connects.
  conns.push(await dial(listener.address));
  assert(accepted.length <= 3, `${accepted.length} were accepted`);
  turns.left = Infinity;
  steps.clear();
  turns.give();
  while (step++ < 10 * CLIENTS) await undefined;
  // Between two steps, others who wait for a turn would go on, such as those who pass bytes without end.
  assert(steps.size <= 1, `the next ones are accepted in ${steps.size} steps`);
  await until(() => accepted.length === conns.length, "all are accepted");
  // Whoever has a turn first, faults are for the first one that came, or the second.
  assertEquals(ports, conns.map(({ localAddr }) => (localAddr as Deno.NetAddr).port));
  closeAll(accepted, conns);
});

Deno.test("a hundred clients and more that come at once are taken in one turn", async () => {
  const CLIENTS = 300;
  using listener = await listenSockets(LOOPBACK);
  const conns: Deno.Conn[] = [];
  for (let i = 0; i < CLIENTS; i++) conns.push(await dial(listener.address));
  let taken = 0;
  const turns: Pick<Turns, "take" | "takeIfBusy" | "takeToEnd"> = {
    async take() {
      taken++;
      await undefined;
    },
    takeIfBusy: () => undefined,
    takeToEnd: () => undefined,
  };
  const accepted: Side[] = [];
  listener.serve({
    accepted: (side) => void accepted.push(side),
    failed: (error) => {
      throw error;
    },
  }, { turns: turns as Turns, reads: new ReadBudget() });
  await until(() => accepted.length === CLIENTS, "all are accepted");
  // In more turns, a flood would come faster than it is taken, and fill the kernel's queue for others.
  assert(taken <= CLIENTS / 100, `${taken} turns`);
  closeAll(accepted, conns);
});

Deno.test("a client that comes alone is let in at once", async () => {
  await using echo = await serveEcho(LOOPBACK);
  await using proxy = await serveProxy(LOOPBACK, echo.address);
  // Another test may have had none left.
  await until(() => !areDescriptorsScarce());
  const { setTimeout } = globalThis;
  const delays: unknown[] = [];
  globalThis.setTimeout = ((handler: () => void, ms?: number) => {
    delays.push(ms);
    return setTimeout(handler, ms);
  }) as typeof setTimeout;
  try {
    for (let i = 0; i < 3; i++) {
      using conn = await dial(proxy.address);
      await assertAnswers(conn);
    }
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert(!delays.includes(5), "without a pause");
});

Deno.test("who has sent something goes before those that have not, and nothing of it is lost", async () => {
  const SILENT = 20;
  using listener = await listenSockets(LOOPBACK);
  const turns = new GivenTurns(0);
  const accepted: Side[] = [];
  listener.serve({
    accepted: (side) => void accepted.push(side),
    failed: (error) => {
      throw error;
    },
  }, { turns: turns as unknown as Turns, reads: new ReadBudget() });
  const conns: Deno.Conn[] = [];
  const bytes = crypto.getRandomValues(new Uint8Array(10_000));
  for (let i = 0; i <= 2 * SILENT; i++) {
    const conn = await dial(listener.address);
    conns.push(conn);
    if (i !== SILENT) continue;
    await conn.write(bytes);
    await conn.closeWrite();
  }
  await deadline(turns.awaited);
  const { port } = conns[SILENT]!.localAddr as Deno.NetAddr;
  const find = () => accepted.find(({ remote }) => (remote as TcpAddress).port === port);
  await until(() => {
    turns.give();
    return find() !== undefined;
  }, "it is let in");
  // The first and the last of those that wait go in turns: it would be the last of all.
  assert(accepted.length <= SILENT, `${accepted.length} were let in`);
  const side = find()!;
  assert(side.hasRead);
  const received: Uint8Array[] = [];
  const ended = Promise.withResolvers<void>();
  side.listen({
    received(part) {
      received.push(part.slice());
      if (received.length > 1) return true;
      setTimeout(() => side.resume(), 0);
      return false;
    },
    ended: ended.resolve,
    drained() {},
    failed: ended.reject,
    closed() {},
  });
  side.resume();
  await deadline(ended.promise, "the end");
  assertEquals(concat(received), bytes);
  turns.left = Infinity;
  turns.give();
  await until(() => accepted.length === conns.length, "all are let in");
  closeAll(accepted, conns);
});

Deno.test("where no descriptor is left while hundreds wait, more are accepted, and the oldest go", async () => {
  const SHORT_AT = 600;
  const CLIENTS = 1_200;
  let came = 0;
  let wasShort = false;
  const all = Promise.withResolvers<void>();
  const source = {
    address: { transport: "tcp", hostname: "127.0.0.1", port: 1 } as const,
    handshakes: undefined,
    accept(): Promise<number> {
      if (came === SHORT_AT && !wasShort) {
        wasShort = true;
        return Promise.reject(new Error("Too many open files (os error 24)"));
      }
      if (came < CLIENTS) return Promise.resolve(++came);
      all.resolve();
      return new Promise(() => {});
    },
    close() {},
  };
  const turns: Pick<Turns, "take" | "takeIfBusy" | "takeToEnd"> = {
    take: () => undefined,
    takeIfBusy: () => new Promise(() => {}),
    takeToEnd: () => undefined,
  };
  const gone: number[] = [];
  const entrance = new Entrance<number>(source, turns as Turns, {
    remoteOf: () => source.address,
    admitted() {},
    letGo: (client) => void gone.push(client),
    failed() {},
  });
  await deadline(all.promise, "all are accepted, though nobody is let in");
  assert(CLIENTS - gone.length <= SHORT_AT / 2, `${CLIENTS - gone.length} wait`);
  entrance.close();
  assertEquals(gone, Array.from({ length: CLIENTS }, (_, i) => i + 1));
});

Deno.test("clients that still wait for their turn are let go when a listener closes", async () => {
  using listener = await listenSockets(LOOPBACK);
  const conns: Deno.Conn[] = [];
  for (let i = 0; i < 3; i++) conns.push(await dial(listener.address));
  const turns = new GivenTurns(0);
  const told: unknown[] = [];
  const events = {
    accepted: (side: Side) => void told.push(side),
    failed: (error: Error) => void told.push(error),
  };
  listener.serve(events, { turns: turns as unknown as Turns, reads: new ReadBudget() });
  await deadline(turns.awaited);
  listener.close();
  for (const conn of conns) {
    await deadline(conn.read(new Uint8Array(1)).catch(() => null), "the end of a connection");
    conn.close();
  }
  assertEquals(told, []);
});

async function assertAnswers(conn: Deno.Conn): Promise<void> {
  const into = new Uint8Array(1);
  await conn.write(Uint8Array.of(7));
  assertEquals([await deadline(conn.read(into)), into[0]], [1, 7]);
}

Deno.test({
  name: "clients that reset before they are accepted are told of, and the upstream is not dialled",
  ignore: Deno.build.os !== "linux" || !isInstalled("python3", "clients that reset"),
  async fn() {
    using folder = new Scratch();
    for (const upstream of ["127.0.0.1:0", `unix:${folder.at("echo")}`]) {
      let dialled = 0;
      await using server = await serveEcho(await listen(upstream), {
        observer: { opened: () => void dialled++ },
      });
      for (const tls of [undefined, SERVER_TLS]) {
        const told: string[] = [];
        dialled = 0;
        await using proxy = await serveProxy("127.0.0.1:0", server.address, {
          tls,
          observer: {
            acceptFailed: ({ operation, code }) => told.push(`${operation} ${code}`),
            closed: () => told.push("closed"),
          },
        });
        resetMany(proxy.address as TcpAddress);
        await until(() => told.length === RESETS, `${upstream}: all are told of`);
        assertEquals(new Set(told), new Set(["accept reset"]));
        assertEquals(dialled, 0);
        using conn = await dial(proxy.address, tls ? TRUSTING : {});
        await assertAnswers(conn);
      }
    }
  },
});

Deno.test({
  name: "where a proxy has no descriptor left, clients that send nothing give way to others",
  ignore: Deno.build.os !== "linux",
  async fn() {
    using folder = new Scratch();
    await using server = await serveEcho("127.0.0.1:0");
    const { port } = server.address as TcpAddress;
    const tls = ["--tls-cert", TLS_FILES.cert, "--tls-key", TLS_FILES.key];
    for (
      const [at, ...flags] of [["127.0.0.1:0"], ["127.0.0.1:0", ...tls], [`unix:${folder.at("s")}`]]
    ) {
      await using proxy = await ServerProgram.start(
        script("cmd/proxy.ts", at!, `127.0.0.1:${port}`, ...flags),
        { openFiles: OPEN_FILES },
      );
      const options = flags.length > 0 ? TRUSTING : {};
      using first = await dial(proxy.address, options);
      await assertAnswers(first);
      // The kernel takes them all; the proxy has too few descriptors for half of them.
      const silent: Deno.Conn[] = [];
      for (let i = 0; i < 100; i++) silent.push(await dial(proxy.address));
      using last = await dial(proxy.address, options);
      await assertAnswers(last);
      await assertAnswers(first);
      for (const conn of silent) conn.close();
    }
  },
});
