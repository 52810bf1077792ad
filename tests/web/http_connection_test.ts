/** Requests of one connection: their order, their ends, and what is broken between them. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { jsonReply, type Route } from "../../lib/web/mod.ts";
import { deadline, pause, until } from "../support/deadline.ts";
import { Lateness } from "../support/lateness.ts";
import { readToEnd, sendRaw } from "./raw_http.ts";
import { ROUTES, serve } from "./sample_site.ts";

Deno.test("what cannot be read behind a request is told after its answer, and harms nothing before it", async () => {
  const refused: number[] = [];
  await using server = await serve({
    observer: { refused: (_, status) => void refused.push(status) },
  });
  const post = "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi";
  const cases: readonly (readonly [behind: string, status: RegExp])[] = [
    ["\0garbage\r\n\r\n", /^400 /],
    [`GET / HTTP/1.1\r\n${"x: y\r\n".repeat(6_000)}`, /^431 /],
    ["CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n", /^405 /],
    [
      "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
      /^400 /,
    ],
  ];
  for (const [behind, expected] of cases) {
    const { status, body } = await sendRaw(server, post + post + behind);
    assertEquals(status, 200);
    const [first, second, last] = body.split(/HTTP\/1\.1 (?=\d{3} )/);
    assertEquals(first, "hi");
    assertMatch(second!, /^200 [^]*hi$/);
    assertMatch(last!, expected, behind);
  }
  assertEquals(refused, [400, 431, 405, 400]);
});

Deno.test("a client that ends its half after its requests gets the answers", async () => {
  const routes: Route[] = [...ROUTES, {
    method: "GET",
    path: "/later",
    handle: async ({ signal }) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return jsonReply({ aborted: signal.aborted });
    },
  }];
  await using server = await serve({ routes });
  using late = new Lateness();
  const head = (line: string, more = "") => `${line} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`;
  const later = head("GET /later");
  const answered = /^HTTP\/1\.1 200 [^]*\{"aborted":false\}\n/;
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /^$/],
    [later, answered],
    [later + head("POST /echo", "Content-Length: 2\r\n") + "hi", /"aborted":false\}\n[^]*\r\nhi$/],
    [later + "GET /la", answered],
    ["GET /la", /^$/],
    [later + head("POST /echo", "Content-Length: 5\r\n") + "hel", /"aborted":false\}\n[^]* 400 /],
    [head("POST /echo", "Content-Length: 5\r\n") + "hel", /^HTTP\/1\.1 400 /],
  ];
  for (const [text, expected] of cases) {
    using conn = await Deno.connect(server.address as Deno.ConnectOptions);
    await conn.write(new TextEncoder().encode(text));
    await conn.closeWrite();
    assertMatch(await deadline(readToEnd(conn), text), expected, text);
  }
  const answeredAt = performance.now();
  await until(() => server.connections === 0, "all are closed");
  const tookMs = performance.now() - answeredAt;
  assert(tookMs < 500 || late.totalMs > 100, `${tookMs} ms until all are closed`);
});

Deno.test("a client that ends its half long after its request has left, and its request is told", async () => {
  const gate = { begun: Promise.withResolvers<void>(), aborted: Promise.withResolvers<void>() };
  const routes: Route[] = [{
    method: "GET",
    path: "/wait",
    async handle({ signal }) {
      gate.begun.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      gate.aborted.resolve();
      return signal.throwIfAborted() as never;
    },
  }];
  await using server = await serve({ routes });
  using conn = await Deno.connect(server.address as Deno.ConnectOptions);
  await conn.write(new TextEncoder().encode("GET /wait HTTP/1.1\r\nHost: localhost\r\n\r\n"));
  await gate.begun.promise;
  await pause(150);
  await conn.closeWrite();
  await deadline(gate.aborted.promise, "the end is told");
  assertMatch(await readToEnd(conn), /^HTTP\/1\.1 503 [^]*"cancelled"/);
});

Deno.test("a client that waits with its content is told whether to send it", async () => {
  await using server = await serve();
  using conn = await Deno.connect(server.address as Deno.ConnectOptions);
  const send = (text: string) => conn.write(new TextEncoder().encode(text));
  const head = (path: string, bytes: number) =>
    `POST ${path} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n` +
    `Content-Length: ${bytes}\r\n\r\n`;
  await send(head("/echo", 5));
  const chunk = new Uint8Array(1_000);
  const count = await deadline(conn.read(chunk), "permission");
  assertEquals(
    new TextDecoder().decode(chunk.subarray(0, count!)),
    "HTTP/1.1 100 Continue\r\n\r\n",
  );
  await send("hello");
  await send(head("/echo", 11));
  assertMatch(
    await deadline(readToEnd(conn), "the answers"),
    /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nhelloHTTP\/1\.1 413 /,
  );
});

Deno.test("requests of one connection are answered in order, a bounded number of them", async () => {
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const begun: string[] = [];
  const routes: Route[] = [{
    method: "GET",
    path: "/wait/:nr",
    async handle({ params }) {
      const nr = params["nr"]!;
      begun.push(nr);
      await gates[Number(nr)]?.promise;
      return { status: 200, body: `reply ${nr};` };
    },
  }];
  await using server = await serve({ routes });
  const request = (nr: number, close = false) =>
    `GET /wait/${nr} HTTP/1.1\r\nHost: localhost\r\n${close ? "Connection: close\r\n" : ""}\r\n`;
  const reply = sendRaw(server, request(0) + request(1) + request(2, true));
  await until(() => begun.length > 0);
  gates[0]!.resolve();
  await until(() => begun.length > 1);
  assertEquals(begun, ["0", "1"]);
  gates[1]!.resolve();
  assertEquals((await reply).body.match(/reply \d;/g), ["reply 0;", "reply 1;", "reply 2;"]);
  gates[0] = Promise.withResolvers();
  assertEquals((await sendRaw(server, request(0).repeat(40))).status, 0);
  gates[0].resolve();
});
