/** A web server: what it answers, to whom, and what it refuses. */
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import {
  type Credentials,
  FileAuthenticator,
  hashToken,
  parseAuthFile,
} from "../../lib/access/mod.ts";
import { QueueFullError } from "../../lib/base/fair_queue.ts";
import { errorReply, type Route, serveWeb, type WebReply } from "../../lib/web/mod.ts";
import { SECURITY_HEADERS } from "../../lib/web/security_headers.ts";
import { redirectErrors } from "../../lib/base/report.ts";
import { deadline } from "../support/deadline.ts";
import { quickHash } from "../support/quick_hash.ts";
import { CA, SERVER_TLS } from "../support/tls.ts";
import { sendRaw } from "./raw_http.ts";
import { PAGE, ROUTES, serve, urlOf } from "./sample_site.ts";

Deno.test("a web server answers by its routes, and refuses what is no request for it", async () => {
  await using server = await serve({ hosts: ["search.example"] });
  using _quiet = redirectErrors(() => {});
  const large = "a".repeat(9_000);
  const cases: readonly (readonly [request: string, status: number, code?: string])[] = [
    ["GET / HTTP/1.1\r\nHost: localhost", 200],
    ["GET / HTTP/1.1\r\nHost: LOCALHOST:1234", 200],
    ["GET / HTTP/1.1\r\nHost: 127.0.0.1", 200],
    ["GET / HTTP/1.1\r\nHost: search.example", 200],
    ["HEAD / HTTP/1.1\r\nHost: localhost", 200],
    ["GET / HTTP/1.0\r\nHost: localhost", 200],
    ["GET /entry/a%2Fb%20c?q=1 HTTP/1.1\r\nHost: localhost", 200],
    ["GET / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-Continue", 200],
    // Hosts
    ["GET / HTTP/1.1\r\nHost: evil.example", 421, "wrong-host"],
    ["GET / HTTP/1.1\r\nHost: 127.0.0.2", 421, "wrong-host"],
    ["GET / HTTP/1.1\r\nHost: localhost.evil.example", 421, "wrong-host"],
    ["GET / HTTP/1.1\r\nHost: [::1]", 421, "wrong-host"],
    ["GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost", 400, "bad-host"],
    ["GET / HTTP/1.1\r\nhost: localhost\r\nHOST: evil.example", 400, "bad-host"],
    ["GET / HTTP/1.1", 400, "bad-host"],
    ["GET / HTTP/1.1\r\nHost:", 400, "bad-host"],
    ["GET / HTTP/1.1\r\nHost: localhost/evil", 400, "bad-host"],
    ["GET / HTTP/1.1\r\nHost: a@localhost", 400, "bad-host"],
    ["GET / HTTP/1.1\r\nHost: localhost.:", 200],
    ["GET http://evil.example/ HTTP/1.1\r\nHost: localhost", 421, "wrong-host"],
    ["GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example", 200],
    ["GET http://search.example:80?q HTTP/1.1\r\nHost: localhost", 200],
    ["GET http://a@localhost/ HTTP/1.1\r\nHost: localhost", 400, "bad-host"],
    ["GET http://localhost/ HTTP/1.1", 400, "bad-host"],
    ["GET ftp://localhost/ HTTP/1.1\r\nHost: localhost", 400, "bad-path"],
    ["OPTIONS * HTTP/1.1\r\nHost: localhost", 400, "bad-path"],
    ["GET //evil.example/ HTTP/1.1\r\nHost: localhost", 404, "not-found"],
    // Origins
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: 0",
      200,
    ],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost:80\r\nOrigin: http://localhost\r\nContent-Length: 0",
      200,
    ],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost:81\r\nOrigin: http://localhost\r\nContent-Length: 0",
      403,
      "wrong-origin",
    ],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\nContent-Length: 0",
      403,
      "wrong-origin",
    ],
    [
      "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example",
      403,
      "wrong-origin",
    ],
    // Paths and methods
    ["GET /nowhere HTTP/1.1\r\nHost: localhost", 404, "not-found"],
    ["GET /entry/ HTTP/1.1\r\nHost: localhost", 404, "not-found"],
    ["GET /entry/a/b HTTP/1.1\r\nHost: localhost", 404, "not-found"],
    ["GET /../etc/passwd HTTP/1.1\r\nHost: localhost", 404, "not-found"],
    ["GET /entry/%ff HTTP/1.1\r\nHost: localhost", 400, "bad-path"],
    ["GET /echo HTTP/1.1\r\nHost: localhost", 405, "bad-method"],
    ["OPTIONS / HTTP/1.1\r\nHost: localhost", 405, "bad-method"],
    ["TRACE / HTTP/1.1\r\nHost: localhost", 405, "bad-method"],
    ["TRACE /nowhere HTTP/1.1\r\nHost: localhost", 404, "not-found"],
    ["PROPFIND / HTTP/1.1\r\nHost: localhost", 405, "bad-method"],
    ["CONNECT evil.example:25 HTTP/1.1\r\nHost: localhost", 405, "bad-method"],
    ["GET / HTTP/1.1\r\nHost: localhost\r\nExpect: a lot", 417, "bad-expectation"],
    ["GET /refused HTTP/1.1\r\nHost: localhost", 403, "forbidden"],
    ["GET /broken HTTP/1.1\r\nHost: localhost", 500, "internal"],
    // Smuggling, and what is no HTTP
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0",
      400,
      "bad-request",
    ],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0",
      400,
      "bad-request",
    ],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n0",
      501,
      "bad-coding",
    ],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0",
      501,
      "bad-coding",
    ],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na",
      400,
      "bad-request",
    ],
    ["POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1", 400, "bad-request"],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999",
      400,
      "bad-request",
    ],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
      400,
      "bad-request",
    ],
    ["GET / HTTP/1.1\r\nHost : localhost", 400, "bad-request"],
    ["GET / HTTP/1.1\r\nHost: localhost\r\n folded: yes", 400, "bad-request"],
    ["GET / HTTP/1.1\nHost: localhost\n", 400, "bad-request"],
    ["GET / HTTP/9.9\r\nHost: localhost", 400, "bad-request"],
    ["GET / HTTP/1.1\r\nHost: localhost\r\nX\0: 1", 400, "bad-request"],
    ["GET / HTTP/2.0\r\nHost: localhost", 505, "bad-version"],
    ["GET /", 505, "bad-version"],
    ["PRI * HTTP/2.0\r\n\r\nSM", 400, "bad-request"],
    // Other protocols may be proposed, and the answer is by this one.
    [
      "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAA",
      200,
    ],
    ["GET /ws HTTP/1.1\r\nHost: localhost", 404, "not-found"],
    ["\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400, "bad-request"],
    // Sizes
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${large}`, 431, "head-too-large"],
    [`GET /${large} HTTP/1.1\r\nHost: localhost`, 431, "head-too-large"],
    [`GET / HTTP/1.1\r\nHost: localhost\r\n${"x: y\r\n".repeat(2_000)}`, 431, "head-too-large"],
    ["POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 11\r\n\r\n", 413, "too-large"],
    [
      "POST /echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nhello world\r\n0",
      413,
      "too-large",
    ],
  ];
  for (const [request, status, code] of cases) {
    const [head, ...content] = request.split("\r\n\r\n");
    const end = content.length === 0 ? "" : `${content.join("\r\n\r\n")}\r\n\r\n`;
    const upgrade = head!.includes("Upgrade:") ? ", Upgrade, HTTP2-Settings" : "";
    const closing = `Connection: close${upgrade}`;
    const reply = await sendRaw(server, `${head}\r\n${closing}\r\n\r\n${end}`);
    assertEquals(reply.status, status, `${request}: ${reply.body}`);
    if (code !== undefined) assertEquals(JSON.parse(reply.body).error.code, code, request);
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      if (name !== "cache-control") assertEquals(reply.headers[name], value, `${request}: ${name}`);
    }
    assert(!reply.body.includes("secret"), reply.body);
    assertEquals(status === 405, reply.headers["allow"] !== undefined, request);
  }
});

Deno.test("an asset has a tag, and is compressed for who takes that", async () => {
  await using server = await serve();
  const get = (headers: Record<string, string>) => fetch(urlOf(server, "/"), { headers });
  const first = await get({ "accept-encoding": "identity" });
  assertEquals(await first.text(), PAGE);
  const tag = first.headers.get("etag")!;
  assertMatch(tag, /^"[\w-]{22}"$/);
  for (const known of [tag, `W/${tag}`, `"other", ${tag}`, "*"]) {
    const again = await get({ "accept-encoding": "identity", "if-none-match": known });
    assertEquals([again.status, await again.text()], [304, ""], known);
  }
  const other = await get({ "accept-encoding": "identity", "if-none-match": '"other"' });
  assertEquals([other.status, await other.text()], [200, PAGE]);
  const raw = (accepted: string) =>
    sendRaw(
      server,
      `HEAD / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: ${accepted}\r\nConnection: close\r\n\r\n`,
    );
  for (const accepted of ["gzip", "br, gzip;q=0.5", "*", "GZIP"]) {
    const { headers } = await raw(accepted);
    assertEquals(headers["content-encoding"], "gzip", accepted);
    assert(Number(headers["content-length"]) < PAGE.length / 10);
    assert(headers["etag"] !== tag);
  }
  for (const accepted of ["identity", "gzip;q=0", "gzip;q=0, *", "br", "xgzip"]) {
    assertEquals((await raw(accepted)).headers["content-encoding"], undefined, accepted);
  }
});

Deno.test("with an authenticator, who is not public's asks says who it is", async () => {
  const table = parseAuthFile(
    JSON.stringify({
      users: [{ name: "ada", password: quickHash("love: lace") }],
      tokens: [{ name: "sensor", token: hashToken("0123456789abcdef") }],
    }),
    {},
  );
  await using server = await serve({ authenticator: new FileAuthenticator(table) });
  const ask = async (path: string, authorization?: string) => {
    const headers = authorization === undefined ? undefined : { authorization };
    const response = await fetch(urlOf(server, path), headers ? { headers } : {});
    return [response.status, await response.json(), response.headers.get("www-authenticate")];
  };
  const basic = (text: string) => `Basic ${new TextEncoder().encode(text).toBase64()}`;
  assertEquals(await ask("/whoami", "Bearer 0123456789abcdef"), [200, "sensor", null]);
  assertEquals(await ask("/whoami", basic("ada:love: lace")), [200, "ada", null]);
  assertEquals(await ask("/healthz"), [200, { status: "ok" }, null]);
  for (
    const wrong of [
      undefined,
      "Bearer 0123456789abcdeg",
      "Bearer",
      "Digest x",
      "Basic !!!",
      basic("ada"),
      basic("ada:wrong"),
      basic("eve:love: lace"),
    ]
  ) {
    const [status, body, challenge] = await ask("/whoami", wrong);
    assertEquals([status, challenge], [401, 'Bearer realm="socktool"'], wrong);
    assertEquals((body as { error: { code: string } }).error.code, "unauthorized");
  }
});

Deno.test("why an authenticator fails is for the operator, not for who asks", async () => {
  const failures: unknown[] = [];
  const authenticator = {
    authenticate: ({ token }: Credentials) =>
      token === "never" ? new Promise<undefined>(() => {}) : Promise.reject(
        token === "full" ? new QueueFullError("of secrets") : new Error("a secret"),
      ),
  };
  const observer = { failed: (_: string, error: unknown) => failures.push(error) };
  await using server = await serve({ authenticator, observer, loginTimeoutMs: 20 });
  const answers = [];
  for (const token of ["full", "never", "any"]) {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(urlOf(server, "/whoami"), { headers });
    const { error } = await response.json();
    assert(!error.message.includes("secret"), error.message);
    answers.push([response.status, error.code, response.headers.get("retry-after")]);
  }
  const notNow = [503, "over-budget", "1"];
  assertEquals(answers, [notNow, notNow, [500, "internal", null]]);
  assertEquals(failures.map(String), ["Error: a secret"]);
});

Deno.test("pages of another origin read only where that is permitted", async () => {
  await using server = await serve({ allowOrigins: ["https://good.example"] });
  const head = (origin: string, method = "GET") =>
    sendRaw(
      server,
      `${method} /whoami HTTP/1.1\r\nHost: localhost\r\nOrigin: ${origin}\r\nConnection: close\r\n\r\n`,
    );
  const good = await head("https://good.example");
  assertEquals(good.headers["access-control-allow-origin"], "https://good.example");
  assertEquals(good.headers["vary"], "origin");
  assertEquals((await head("https://good.example", "OPTIONS")).status, 204);
  for (
    const origin of [
      "https://evil.example",
      "http://good.example",
      "https://good.example:8443",
      "null",
    ]
  ) {
    const { headers } = await head(origin);
    assertEquals(headers["access-control-allow-origin"], undefined, origin);
  }
  for (const origin of ["*", "good.example", "https://good.example/path", "ftp://good.example"]) {
    await assertRejects(() => serve({ allowOrigins: [origin] }), TypeError, "as an origin");
  }
  await assertRejects(() => serve({ hosts: ["a b"] }), TypeError, '"a b" as a host name');
});

Deno.test("a web server speaks TLS with the certificate that it has at the time", async () => {
  await using server = await serveWeb("127.0.0.1:0", { routes: ROUTES, tls: SERVER_TLS });
  using client = Deno.createHttpClient({ caCerts: [CA] });
  const port = (server.address as { port: number }).port;
  const response = await fetch(`https://localhost:${port}/healthz`, { client });
  assertEquals(await response.json(), { status: "ok" });
  await server.renewTls(SERVER_TLS);
});

Deno.test("routes, replies and limits that cannot be are refused", async () => {
  await using server = await serve();
  assertThrows(() => server.add([ROUTES[0]!]), TypeError, "Two routes are GET /healthz");
  assertEquals(errorReply(404, "x", "y").body, '{"error":{"code":"x","message":"y"}}\n');
  const handle = () => ({ status: 200 });
  const route = { method: "GET", path: "/more", handle };
  const wrong: readonly (readonly [unknown, string])[] = [
    [null, "null as routes"],
    ["/more", '"/more" as routes'],
    [[null], "null as route"],
    [[{ ...route, method: "FOO" }], '"FOO" as route.method'],
    [[{ ...route, path: "more" }], '"more" as route.path'],
    [[{ ...route, handle: 5 }], "the number 5 as route.handle"],
    [[{ ...route, isPublic: "no" }], '"no" as route.isPublic'],
  ];
  for (const [routes, message] of wrong) {
    assertThrows(() => server.add(routes as Route[]), TypeError, `Cannot use ${message}`);
  }
});

Deno.test("what is no reply is answered by 500 and told, and the server goes on", async () => {
  const told: string[] = [];
  const observer = {
    failed(path: string, error: unknown) {
      assertEquals(this, observer);
      told.push(`${path} ${(error as Error).name}`);
    },
  };
  let reply: unknown;
  const handle = () => reply as WebReply;
  const routes: Route[] = [{ method: "GET", path: "/", isPublic: true, handle }];
  await using server = await serveWeb("127.0.0.1:0", { routes, observer });
  const port = (server.address as { port: number }).port;
  const transferred = new Uint8Array(4);
  structuredClone(transferred, { transfer: [transferred.buffer] });
  const wrong = [
    undefined,
    null,
    "text",
    {},
    { status: "200" },
    { status: NaN },
    { status: 101 },
    { status: 600 },
    { status: 200, body: null },
    { status: 200, body: { a: 1 } },
    { status: 200, body: new ArrayBuffer(1) },
    { status: 200, body: new Uint16Array(1) },
    { status: 200, body: transferred },
    { status: 200, headers: null },
    { status: 200, headers: { a: 5 } },
    { status: 200, headers: { "a b": "c" } },
    { status: 200, headers: { a: "b\r\nc: d" } },
    { status: 200, headers: { "transfer-encoding": "chunked" } },
  ];
  for (reply of wrong) {
    const response = await deadline(fetch(`http://127.0.0.1:${port}/`));
    assertEquals((await response.json()).error.code, "internal", Deno.inspect(reply));
    assertEquals(response.status, 500);
  }
  assertEquals(told.length, wrong.length);
  reply = { status: 200, headers: { a: undefined }, body: "fine" };
  const response = await deadline(fetch(`http://127.0.0.1:${port}/`));
  assertEquals([response.headers.get("a"), await response.text()], [null, "fine"]);
});
