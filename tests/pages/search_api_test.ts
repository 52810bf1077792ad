/** The search app's actions over HTTP: the same answers as on the wire, by the same rights. */
import { assert, assertEquals } from "@std/assert";
import { SearchPages } from "../../cmd/_search/search_pages.ts";
import { FileAuthenticator, hashToken, parseAuthFile } from "../../lib/access/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { connectRequests, RequestError, serveRequests } from "../../lib/request/mod.ts";
import { openSearch, SEARCH_RIGHTS, searchHandler } from "../../lib/search/mod.ts";
import { serveWeb } from "../../lib/web/mod.ts";

const ENTRIES = [
  ["ring", "One Ring", "It came to him"],
  ["a/b?c#d", "Strange key", "x".repeat(100_000)],
  ["..", "Two dots", "dotted"],
  ["ключ 🔑", "Key", "a key in letters beyond ASCII"],
] as const;

/** Tokens of users that may search only, and that may do all but search. */
const AUTH = JSON.stringify({
  tokens: [
    { name: "seeker", token: hashToken("seek"), actions: { allow: ["search", "suggest"] } },
    { name: "other", token: hashToken("other"), actions: { allow: ["get", "stats"] } },
  ],
});

async function serve(authenticator?: FileAuthenticator) {
  const stack = new AsyncDisposableStack();
  const engine = stack.use(await openSearch({ workers: 1, writable: true }));
  for (const [key, title, text] of ENTRIES) await engine.put({ key, title, text });
  const pages = new SearchPages();
  const web = stack.use(await serveWeb("127.0.0.1:0", { routes: pages.routes, authenticator }));
  const url = `http://${formatAddress(web.address)}`;
  const get = async (path: string, token?: string) => {
    const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
    const reply = await fetch(url + path, { headers: { ...headers } });
    return { status: reply.status, headers: reply.headers, body: await reply.json() };
  };
  const begin = async () => {
    const handler = searchHandler(engine, { authenticator, principalOf: pages.principalOf });
    const server = stack.use(await serveRequests("127.0.0.1:0", handler));
    pages.serve(server, handler);
    return server;
  };
  return { get, begin, url, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

Deno.test("answers over HTTP are those on the wire, errors too", async () => {
  await using app = await serve();
  await using server = await app.begin();
  await using client = await connectRequests(server.address);
  const asked: readonly (readonly [path: string, action: Record<string, unknown>])[] = [
    ["/api/search?q=ring", { action: "search", value: "ring" }],
    ["/api/search?q=rnig", { action: "search", value: "rnig" }],
    ["/api/search?q=rnig&exact=true", { action: "search", value: "rnig", exact: true }],
    ["/api/search?q=key&limit=1&offset=1", { action: "search", value: "key", limit: 1, offset: 1 }],
    ["/api/search?q=", { action: "search", value: "" }],
    ["/api/search?q=%22%00*%F0%9F%94%91", { action: "search", value: '"\0*🔑' }],
    ["/api/suggest?q=o&limit=2", { action: "suggest", value: "o", limit: 2 }],
    ["/api/entry/nothing", { action: "get", value: "nothing" }],
    ...ENTRIES.filter(([key]) => key !== "..").map(([key]) =>
      [`/api/entry/${encodeURIComponent(key)}`, { action: "get", value: key }] as const
    ),
    ...ENTRIES.map(([key]) =>
      [`/api/entry?key=${encodeURIComponent(key)}`, { action: "get", value: key }] as const
    ),
  ];
  for (const [path, action] of asked) {
    const { status, body, headers } = await app.get(path);
    const wire = await client.request(jsonFrame(action), { raw: true });
    const { result, error, ...rest } = wire.json<Record<string, unknown>>();
    assertEquals(body, error === undefined ? { result, ...rest } : { error }, path);
    assertEquals(status, error === undefined ? 200 : 404, path);
    assertEquals(headers.get("content-type"), "application/json; charset=utf-8");
  }
});

Deno.test("wrong parameters are told by name", async () => {
  await using app = await serve();
  await using _server = await app.begin();
  for (
    const [path, says] of [
      ["/api/search", "q is missing"],
      ["/api/suggest", "q is missing"],
      ["/api/entry", "key is missing"],
      ["/api/search?q=x&limit=-1", "limit must be a whole number"],
      ["/api/search?q=x&limit=1.5", "limit must be a whole number"],
      ["/api/search?q=x&offset=", "offset must be a whole number"],
      ["/api/search?q=x&exact=yes", "exact must be true or false"],
    ]
  ) {
    const { status, body } = await app.get(path!);
    assertEquals([status, body.error.code], [400, "bad-request"], path);
    assert(body.error.message.includes(says), body.error.message);
  }
});

Deno.test("before there is an index, clients are told to come again, and how far it is", async () => {
  await using app = await serve();
  for (const path of ["/api/search?q=x", "/api/entry/x", "/api/stats"]) {
    const { status, body, headers } = await app.get(path);
    assertEquals([status, body.error.code, headers.get("retry-after")], [503, "starting", "1"]);
  }
  await using _server = await app.begin();
  const { body } = await app.get("/api/stats");
  assertEquals([body.role, body.search.entries, body.connections], ["app-server", 6, 0]);
});

Deno.test("each user may do what it may on the wire, and the pages are for everybody", async () => {
  await using app = await serve(new FileAuthenticator(parseAuthFile(AUTH, SEARCH_RIGHTS)));
  await using server = await app.begin();
  const statusOf = async (path: string, token?: string) => {
    const { status, body } = await app.get(path, token);
    return status === 200 ? status : `${status} ${body.error.code}`;
  };
  const paths = ["/api/search?q=ring", "/api/suggest?q=o", "/api/entry/ring", "/api/stats"];
  const allOf = (token?: string) => Promise.all(paths.map((path) => statusOf(path, token)));
  const forbidden = "403 forbidden";
  assertEquals(await allOf("seek"), [200, 200, forbidden, forbidden]);
  assertEquals(await allOf("other"), [forbidden, forbidden, 200, 200]);
  for (const token of [undefined, "wrong"]) {
    assertEquals(await allOf(token), Array(4).fill("401 unauthorized"));
  }
  // Who came in over HTTP is not let in on a connection that said nothing.
  await using client = await connectRequests(server.address);
  const asked = client.request(jsonFrame({ action: "search", value: "ring" }));
  const error = await asked.then(() => undefined, (error) => error);
  assert(error instanceof RequestError && error.code === "unauthorized");
  for (const path of ["/", "/entry/x", "/live", "/search.js", "/client.js", "/opensearch.xml"]) {
    const reply = await fetch(app.url + path);
    await reply.body?.cancel();
    assertEquals(reply.status, 200, path);
  }
});

Deno.test("the description for browsers names the server as it was asked", async () => {
  await using app = await serve();
  const port = new URL(app.url).port;
  const reply = await fetch(`http://localhost:${port}/opensearch.xml`);
  const text = await reply.text();
  assert(text.includes(`template="http://localhost:${port}/?q={searchTerms}"`), text);
});
