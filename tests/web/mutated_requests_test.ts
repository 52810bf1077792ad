/** Requests with some bytes changed, removed or doubled: each that is whole is answered, by no failure. */
import { assert, assertEquals } from "@std/assert";
import { joinListeners, listen } from "../../lib/net/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { jsonReply, type Route, serveWeb } from "../../lib/web/mod.ts";
import { Random } from "../soak/random.ts";
import { deadline, until } from "../support/deadline.ts";
import { readToEnd } from "./raw_http.ts";

const HOST = "Host: localhost\r\n";

const REQUESTS = [
  `GET /a/b%20c?q=1 HTTP/1.1\r\n${HOST}Accept-Encoding: gzip;q=0.5, *;q=0\r\nConnection: close\r\n\r\n`,
  `POST /echo HTTP/1.1\r\n${HOST}Content-Length: 5\r\nExpect: 100-continue\r\n\r\nhello`,
  `POST /echo HTTP/1.1\r\n${HOST}Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n`,
  `GET http://localhost:1/a/b HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n`,
  `GET /ws HTTP/1.1\r\n${HOST}Connection: Upgrade\r\nUpgrade: websocket\r\n` +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
  "OPTIONS * HTTP/1.1\r\nHost: [::1]:80\r\nOrigin: null\r\n\r\n",
  `HEAD /a/b HTTP/1.0\r\n${HOST}Connection: keep-alive\r\n\r\n`,
].map((text) => new TextEncoder().encode(text));

const ROUTES: readonly Route[] = [
  {
    method: "GET",
    path: "/a/:b",
    async handle({ params }) {
      await undefined;
      return jsonReply(params);
    },
  },
  {
    method: "POST",
    path: "/echo",
    maxBodyBytes: 10,
    handle: async (request) => ({ status: 200, body: await request.body() }),
  },
];

function mutated(random: Random): Uint8Array<ArrayBuffer> {
  const below = (count: number) => random.int(0, count - 1);
  const parts = Array.from({ length: 1 + below(3) }, () => REQUESTS[below(REQUESTS.length)]!);
  let bytes = parts.flatMap((part) => [...part]);
  for (let i = 0; i <= below(4) && bytes.length > 0; i++) {
    const at = below(bytes.length);
    const odd = [...new TextEncoder().encode("\r\n :;,\0%/")];
    const change = below(5);
    if (change === 0) bytes[at]! ^= 1 << below(8);
    else if (change === 1) bytes.splice(at, 1 + below(4));
    else if (change === 2) bytes.splice(at, 0, odd[below(odd.length)]!);
    else if (change === 3) bytes.splice(at, 0, ...bytes.slice(at, at + below(40)));
    else bytes = bytes.slice(0, at + 1);
  }
  return Uint8Array.from(bytes);
}

Deno.test("mutated requests are answered, with all headers and by no failure", async () => {
  const failures: unknown[] = [];
  await using web = await serveWeb("127.0.0.1:0", {
    routes: ROUTES,
    observer: { failed: (_, error) => void failures.push(error) },
  });
  const listener = joinListeners(await listen("127.0.0.1:0"), web.webSockets);
  await using _server = serveRequests(listener, (frame) => frame.text());
  const random = new Random(1);
  for (let round = 0; round < 400; round++) {
    const bytes = mutated(random);
    const text = new TextDecoder("latin1").decode(bytes);
    using conn = await Deno.connect(web.address as Deno.ConnectOptions);
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    await conn.closeWrite();
    const answer = await deadline(readToEnd(conn), `the end of ${JSON.stringify(text)}`);
    const statuses = [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status!);
    if (text.includes("\r\n\r\n")) assert(statuses.length > 0, text);
    assert(!statuses.includes("500"), text);
    const replies = statuses.filter((status) => status !== "100" && status !== "101").length;
    assertEquals(answer.match(/content-security-policy: /g)?.length ?? 0, replies, text);
  }
  assertEquals(failures, []);
  await until(() => web.connections === 0);
});
