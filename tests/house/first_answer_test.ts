/** What servers do without before they have answered for the first time. */
import { assertEquals } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import type { Server, TcpAddress } from "../../lib/net/mod.ts";
import { serveBroker } from "../../lib/pubsub/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { openSearch, searchHandler } from "../../lib/search/mod.ts";
import { deadline } from "../support/deadline.ts";

const ANYWHERE = "127.0.0.1:0";

type Start = () => Promise<Pick<Server, "address"> & AsyncDisposable>;

/** Serves searches in the tutorial's entries. */
async function serveSearch(): ReturnType<Start> {
  const engine = await openSearch();
  const server = await serveRequests(ANYWHERE, searchHandler(engine));
  return {
    address: server.address,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

/** Each server, and a request of it. */
const SERVERS: Readonly<Record<string, readonly [start: Start, request: Uint8Array<ArrayBuffer>]>> =
  {
    serveEcho: [() => serveEcho(ANYWHERE), new TextEncoder().encode("hello")],
    serveRequests: [() => serveRequests(ANYWHERE, () => "an answer"), encodeFrame({})],
    serveSearch: [serveSearch, encodeFrame(jsonFrame({ action: "search", value: "morpheus" }))],
    serveBroker: [() => serveBroker(ANYWHERE), encodeFrame({ header: { op: "ping", id: 1 } })],
  };

/** The timers of the runtime that the library sets meanwhile: where it does so. */
async function timersSetBy(work: () => Promise<void>): Promise<string[]> {
  const set: string[] = [];
  const { setTimeout, setInterval } = globalThis;
  const noted = <T extends typeof setTimeout>(timer: T): T =>
    Object.assign(function (...given: Parameters<typeof setTimeout>) {
      const place = new Error().stack!.split("\n").find((line) => line.includes("/lib/"));
      if (place !== undefined) set.push(place.trim());
      return timer(...given);
    }, timer) as unknown as T;
  globalThis.setTimeout = noted(setTimeout);
  globalThis.setInterval = noted(
    setInterval as unknown as typeof setTimeout,
  ) as unknown as typeof setInterval;
  try {
    await work();
  } finally {
    Object.assign(globalThis, { setTimeout, setInterval });
  }
  return set;
}

Deno.test("no server has Deno load its timers of Node before the first answer", async () => {
  for (const [name, [start, request]] of Object.entries(SERVERS)) {
    const stack = new AsyncDisposableStack();
    const set = await timersSetBy(async () => {
      const { address } = stack.use(await start());
      const { hostname, port } = address as TcpAddress;
      const conn = stack.use(await Deno.connect({ hostname, port }));
      await conn.write(request);
      await deadline(conn.read(new Uint8Array(1_024)), `an answer of ${name}`);
    });
    await stack.disposeAsync();
    assertEquals(set, [], name);
  }
});
