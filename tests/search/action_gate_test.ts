import "../support/recycled_threads.ts";
import { assertEquals } from "@std/assert";
import {
  type Authenticator,
  FileAuthenticator,
  hashToken,
  parseAuthFile,
} from "../../lib/access/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import type { Address } from "../../lib/net/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { openSearch, SEARCH_RIGHTS, searchHandler } from "../../lib/search/mod.ts";
import { until } from "../support/deadline.ts";
import { listenLocally, RawClient, Recorder } from "../support/peers.ts";
import { quickHash } from "../support/quick_hash.ts";

const FILE = JSON.stringify({
  users: [{
    name: "writer",
    password: quickHash("secret"),
    actions: { allow: ["*"], deny: ["delete"] },
  }],
  tokens: [
    { name: "reader", token: hashToken("r"), actions: { allow: ["search", "get"] } },
    { name: "nobody", token: hashToken("n") },
  ],
});

async function start() {
  const engine = await openSearch({ writable: true });
  const authenticator = new FileAuthenticator(parseAuthFile(FILE, SEARCH_RIGHTS));
  const observer = new Recorder();
  const handler = searchHandler(engine, { authenticator });
  const server = serveRequests(await listenLocally(), handler, { observer });
  return {
    server,
    authenticator,
    observer,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
    },
  };
}

/** The code of the answer's error, or `ok`. */
async function codeOf(client: RawClient, request: Record<string, unknown>): Promise<unknown> {
  await client.send(jsonFrame(request));
  const { error } = await client.json() as { error?: { code: string } };
  return error?.code ?? "ok";
}

const ACTIONS: Record<string, Record<string, unknown>> = {
  search: { value: "morpheus" },
  get: { value: "morpheus" },
  suggest: { value: "m" },
  stats: {},
  put: { key: "k", value: "text" },
  delete: { value: "k" },
};

Deno.test("clients may do what their right names, once they have said who they are", async () => {
  await using running = await start();
  const cases: [Record<string, unknown>, string[]][] = [
    [{ user: "writer", password: "secret" }, ["search", "get", "suggest", "stats", "put"]],
    [{ token: "r" }, ["search", "get"]],
    [{ token: "n" }, []],
  ];
  for (const [credentials, permitted] of cases) {
    using client = await RawClient.connect(running.server.address);
    // Twice, as answers are remembered.
    for (const action of [...Object.keys(ACTIONS), "search"]) {
      assertEquals(await codeOf(client, { action, ...ACTIONS[action] }), "unauthorized", action);
    }
    await client.send({ content: "binary" });
    assertEquals((await client.json())["error"] !== undefined, true);
    assertEquals(await codeOf(client, { action: "hello", ...credentials }), "ok");
    for (const action of [...Object.keys(ACTIONS), "search"]) {
      const expected = permitted.includes(action) ? "ok" : "forbidden";
      assertEquals(await codeOf(client, { action, ...ACTIONS[action] }), expected, action);
    }
    await client.send({ content: "binary" });
    const binary = await client.answer();
    assertEquals(binary?.header["content-type"], "binary/custom-server-binary-type");
  }
});

Deno.test("wrong credentials are told, and may be followed by right ones", async () => {
  await using running = await start();
  using client = await RawClient.connect(running.server.address);
  const cases: [Record<string, unknown>, string][] = [
    [{}, "unauthorized"],
    [{ token: "x" }, "unauthorized"],
    [{ user: "writer", password: "wrong" }, "unauthorized"],
    [{ user: "nobody", password: "secret" }, "unauthorized"],
    [{ token: 7 }, "bad-request"],
    [{ token: "r" }, "ok"],
  ];
  for (const [credentials, expected] of cases) {
    assertEquals(await codeOf(client, { action: "hello", ...credentials }), expected);
  }
  assertEquals(await codeOf(client, { action: "get", value: "morpheus" }), "ok");
  // Who it is does not change any more.
  await client.send(jsonFrame({ action: "hello", user: "writer", password: "secret" }));
  assertEquals((await client.json())["result"], "Error: invalid action 'hello'.");
  assertEquals(await codeOf(client, { action: "put", ...ACTIONS["put"] }), "forbidden");
});

Deno.test("requests sent with the hello wait for it, and another connection has to say its own", async () => {
  await using running = await start();
  using client = await RawClient.connect(running.server.address);
  const search = jsonFrame({ action: "search", value: "morpheus" });
  await client.send(
    jsonFrame({ action: "hello", user: "writer", password: "secret" }),
    search,
    jsonFrame({ action: "delete", value: "k" }),
    search,
  );
  const codes = [];
  for (let i = 0; i < 4; i++) {
    codes.push((await client.json() as { error?: { code: string } }).error?.code);
  }
  assertEquals(codes, [undefined, undefined, "forbidden", undefined]);
  using other = await RawClient.connect(running.server.address);
  assertEquals(await codeOf(other, { action: "search", value: "morpheus" }), "unauthorized");
});

/** A file with the token `r` and the user `writer`, whose right is given. */
function fileOf(reader: object | undefined, writer: object | undefined = reader) {
  const { users, tokens } = JSON.parse(FILE);
  return parseAuthFile(
    JSON.stringify({
      users: writer ? [{ ...users[0], actions: writer }] : [],
      tokens: [tokens[2] ?? tokens[1], ...reader ? [{ ...tokens[0], actions: reader }] : []],
    }),
    SEARCH_RIGHTS,
  );
}

const READING = { allow: ["search", "get"] };

async function login(address: Address, credentials: Record<string, unknown>): Promise<RawClient> {
  const client = await RawClient.connect(address);
  assertEquals(await codeOf(client, { action: "hello", ...credentials }), "ok");
  return client;
}

Deno.test("clients that are connected get the rights that the file gives them now", async () => {
  const search = { action: "search", value: "morpheus" };
  const cases: [string, object, Record<string, string>][] = [
    ["the same", { ...READING }, { search: "ok", get: "ok", put: "forbidden" }],
    ["fewer", { allow: ["get"] }, { search: "forbidden", get: "ok", put: "forbidden" }],
    ["none", {}, { search: "forbidden", get: "forbidden", put: "forbidden" }],
    ["a denial", { allow: ["*"], deny: ["get"] }, { search: "ok", get: "forbidden", put: "ok" }],
    ["more", { allow: ["*"] }, { search: "ok", get: "ok", put: "ok" }],
  ];
  for (const credentials of [{ token: "r" }, { user: "writer", password: "secret" }]) {
    await using running = await start();
    running.authenticator.update(fileOf(READING));
    using client = await login(running.server.address, credentials);
    for (const [name, right, expected] of cases) {
      assertEquals(await codeOf(client, search), "ok");
      running.authenticator.update(fileOf(right));
      for (const [action, code] of Object.entries(expected)) {
        assertEquals(await codeOf(client, { action, ...ACTIONS[action] }), code, name);
      }
      running.authenticator.update(fileOf(READING));
    }
  }
});

Deno.test("clients whose rights end are told and closed, whether they ask for something or not", async () => {
  await using running = await start();
  const { address } = running.server;
  using quiet = await login(address, { user: "writer", password: "secret" });
  using asking = await login(address, { token: "r" });
  using other = await login(address, { token: "n" });
  running.authenticator.update(fileOf(undefined));
  // One answer for each request that is taken, and no more.
  const search = jsonFrame({ action: "search", value: "morpheus" });
  await asking.send(search, search, search);
  assertEquals(await errorOf(asking), "unauthorized");
  assertEquals(await asking.answer(), undefined);
  assertEquals(await errorOf(quiet), "unauthorized");
  assertEquals(await quiet.answer(), undefined);
  assertEquals(await codeOf(other, { action: "get", value: "morpheus" }), "forbidden");
  await until(() => running.observer.reasons.length === 2);
  assertEquals(running.observer.reasons, [
    "unauthorized",
    "unauthorized",
  ]);
});

async function errorOf(client: RawClient): Promise<unknown> {
  return (await client.json() as { error?: { code: string } }).error?.code;
}

Deno.test("a client whose rights end gets the answers to what it asked before", async () => {
  await using running = await start();
  running.authenticator.update(fileOf({ allow: ["*"] }));
  using client = await login(running.server.address, { token: "r" });
  const put = (i: number) => jsonFrame({ action: "put", key: `k${i}`, value: "x".repeat(50_000) });
  await client.send(...Array.from({ length: 20 }, (_, i) => put(i)));
  assertEquals(await errorOf(client), undefined);
  running.authenticator.update(fileOf(undefined));
  const codes: unknown[] = [];
  for (let answer = await client.answer(); answer; answer = await client.answer()) {
    codes.push((answer.json() as { error?: { code: string } }).error?.code ?? "ok");
  }
  assertEquals(codes.at(-1), "unauthorized");
  assertEquals(codes.filter((code) => code !== "ok").length, 1, codes.join());
});

Deno.test("a client that reads nothing goes when its rights end", async () => {
  await using running = await start();
  running.authenticator.update(fileOf({ allow: ["*"] }));
  using client = await login(running.server.address, { token: "r" });
  const put = { action: "put", key: "large", value: "x".repeat(60_000) };
  assertEquals(await codeOf(client, put), "ok");
  let sent = 0;
  const flood = (async () => {
    const get = jsonFrame({ action: "get", value: "large" });
    while (true) await client.send(get).then(() => sent++);
  })().catch(() => {});
  await until(() => sent > 100);
  running.authenticator.update(fileOf(undefined));
  await until(() => running.observer.reasons.length === 1, "its connection ends");
  await flood;
});

Deno.test("a login that is not decided in time ends its connection, and its client is told", async () => {
  await using engine = await openSearch();
  const signals: AbortSignal[] = [];
  const authenticator: Authenticator = {
    authenticate(_, attempt) {
      signals.push(attempt!.signal!);
      return new Promise(() => {});
    },
  };
  const observer = new Recorder();
  const handler = searchHandler(engine, { authenticator, helloTimeoutMs: 20 });
  await using server = serveRequests(await listenLocally(), handler, { observer });
  using client = await RawClient.connect(server.address);
  await client.send(
    jsonFrame({ action: "hello", token: "t" }),
    jsonFrame({ action: "search", value: "morpheus" }),
  );
  assertEquals([await errorOf(client), await errorOf(client)], ["over-budget", "unauthorized"]);
  assertEquals(await client.answer(), undefined);
  await until(() => observer.reasons.length === 1);
  assertEquals([observer.reasons, observer.requestErrors], [["unauthorized"], []]);
  assertEquals(signals.map(({ aborted }) => aborted), [true]);
});

Deno.test("an authenticator that fails is told as a fault of the server, not as many logins", async () => {
  await using engine = await openSearch();
  const failure = new Error("there is no directory of users");
  const authenticator = { authenticate: () => Promise.reject(failure) };
  const observer = new Recorder();
  const handler = searchHandler(engine, { authenticator });
  await using server = serveRequests(await listenLocally(), handler, { observer });
  using client = await RawClient.connect(server.address);
  assertEquals(await codeOf(client, { action: "hello", token: "t" }), "internal");
  assertEquals(observer.requestErrors, [failure]);
});
