import { assertEquals } from "@std/assert";
import { FileAuthenticator, hashPassword, hashToken, parseAuthFile } from "../../lib/access/mod.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { openSearch, SEARCH_RIGHTS, searchHandler } from "../../lib/search/mod.ts";
import { listenLocally, RawClient } from "../support/peers.ts";

const FILE = JSON.stringify({
  users: [{
    name: "writer",
    password: await hashPassword("secret"),
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
  const server = serveRequests(await listenLocally(), searchHandler(engine, { authenticator }));
  return {
    server,
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
