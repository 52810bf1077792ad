/** Requests of more than 64 KiB: a worker parses them, in order, and only `put` may be one. */
import "../support/recycled_threads.ts";
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import fc from "fast-check";
import { encodeFrame, jsonFrame, type OutgoingFrame } from "../../lib/frame/mod.ts";
import { connectRequests, type RequestClient, serveRequests } from "../../lib/request/mod.ts";
import {
  openSearch,
  type SearchEngine,
  searchHandler,
  type SearchOptions,
} from "../../lib/search/mod.ts";
import { deadline } from "../support/deadline.ts";
import { listenLocally, RawClient, rawFrame } from "../support/peers.ts";
import { anyCharacter } from "../support/any_character.ts";

const SMALL_BYTES = 64 * 1024;
const MiB = 1024 * 1024;

/** A served engine, and a client of it. */
async function withServer(
  options: SearchOptions,
  fn: (client: RequestClient, engine: SearchEngine) => Promise<void>,
  maxContentBytes = 32 * MiB,
): Promise<void> {
  await using engine = await openSearch({ workers: 1, data: [], ...options });
  const handler = searchHandler(engine);
  await using server = serveRequests(await listenLocally(), handler, { maxContentBytes });
  await using client = await connectRequests(server.address, { maxContentBytes: 64 * MiB });
  await fn(client, engine);
}

/** What a request is answered with: its `result`, or the code of its error. */
async function outcome(client: RequestClient, frame: OutgoingFrame): Promise<unknown> {
  const reply = (await deadline(client.request(frame, { raw: true }))).json() as Record<
    string,
    unknown
  >;
  return (reply["error"] as { code: string } | undefined)?.code ?? reply["result"];
}

function put(key: string, value: string, more: Record<string, unknown> = {}): OutgoingFrame {
  return jsonFrame({ action: "put", key, value, ...more });
}

Deno.test("a large put is stored as it is, whatever it holds and however it is encoded", () =>
  withServer({ writable: true }, async (client, engine) => {
    const piece = fc.oneof(
      fc.string({ unit: anyCharacter, maxLength: 40 }),
      fc.constantFrom(
        "\\",
        '"',
        "\0",
        "\u2028",
        "{[,]}",
        "\n",
        "é",
        "漢字",
        "🐰",
        "\\u0041",
        "\ud800",
      ),
    );
    const property = fc.asyncProperty(
      fc.array(piece, { minLength: 1, maxLength: 6 }),
      fc.option(fc.string({ unit: anyCharacter, maxLength: 20 }), { nil: undefined }),
      async (pieces, title) => {
        const unit = pieces.join("") + ".";
        const text = unit.repeat(Math.ceil(80_000 / unit.length));
        const request = put("k", text, title === undefined ? {} : { title });
        assert((request.content as string).length > SMALL_BYTES);
        assertEquals(await outcome(client, request), "Stored 'k'.");
        const stored = engine.lookup("k")!;
        assertEquals(stored.text, text.toWellFormed());
        assertEquals(stored.title, (title || "k").toWellFormed());
      },
    );
    await fc.assert(property, { numRuns: 5 });
    // In UTF-16, and with a byte order mark.
    const source = JSON.stringify({ action: "put", key: "k", value: "é🐰".repeat(20_000) });
    const units = Uint16Array.from({ length: source.length }, (_, i) => source.charCodeAt(i));
    const encoded = {
      "utf-16": new Uint8Array(Uint16Array.from([0xfeff, ...units]).buffer),
      "utf-16-le": new Uint8Array(units.buffer),
    };
    for (const [encoding, content] of Object.entries(encoded)) {
      await engine.delete("k");
      const header = { "content-type": "text/json", "content-encoding": encoding };
      assertEquals(await outcome(client, { header, content }), "Stored 'k'.");
      assertEquals(engine.lookup("k")?.text, "é🐰".repeat(20_000));
    }
  }));

Deno.test("what is wrong with a large request is told, and the connection goes on", () =>
  withServer({ writable: true, maxEntryBytes: 100_000 }, async (client, engine) => {
    const big = "x".repeat(70_000);
    const json = { "content-type": "text/json" };
    const raw = (content: string) => ({ header: json, content });
    const bytes = (content: Uint8Array, encoding: string) => ({
      header: { ...json, "content-encoding": encoding },
      content,
    });
    const cases: [string, OutgoingFrame][] = [
      ["bad-json", raw(`{"action":"put","key":"k","value":"${big}`)],
      ["bad-json", raw(" ".repeat(70_000))],
      ["bad-text", bytes(new Uint8Array(70_000).fill(0xff), "utf-8")],
      ["unknown-encoding", bytes(new Uint8Array(70_000), "klingon")],
      ["bad-request", raw(`"${big}"`)],
      ["bad-request", raw(`[${"1,".repeat(400)}"${big}"]`)],
      ["bad-request", raw(`{"action":"put","key":"k","value":[${"1,".repeat(40_000)}1]}`)],
      ["bad-request", raw("[".repeat(80_000))],
      ["bad-request", raw(`{"a":{${'"a":{"b":1},'.repeat(6_000)}"c":1}}`)],
      ["bad-request", jsonFrame({ action: "search", value: big })],
      ["bad-request", jsonFrame({ action: "nonsense", value: big })],
      ["bad-request", jsonFrame({ value: big })],
      ["bad-request", jsonFrame({ action: "put", key: 5, value: big })],
      ["bad-request", jsonFrame({ action: "put", key: "k", value: 5, big })],
      ["bad-request", jsonFrame({ action: "put", key: "k", value: "v", title: [big] })],
      ["bad-entry", put("", big)],
      ["bad-entry", put("\ud800", big)],
      ["bad-entry", put("k".repeat(5_000), big)],
      ["bad-entry", put("k", "x".repeat(100_001 - 1))],
      ["bad-entry", put("k", "x", { title: "é".repeat(50_001) })],
    ];
    for (const [code, frame] of cases) {
      assertEquals(await outcome(client, frame), code, String(frame.content).slice(0, 60));
    }
    assertEquals((await engine.stats()).entries, 0);
    // Strings may hold what stands between values elsewhere, and many other fields are allowed.
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`f${i}`, i]));
    assertEquals(await outcome(client, put("k", ",[{".repeat(25_000), many)), "Stored 'k'.");
  }));

Deno.test("answers keep their order, large requests between small ones", () =>
  withServer({ writable: true }, async (client) => {
    const big = "x".repeat(200_000);
    const requests: [OutgoingFrame, unknown][] = [
      [put("a", "small"), "Stored 'a'."],
      [put("b", big), "Stored 'b'."],
      [jsonFrame({ action: "get", value: "nothing" }), "not-found"],
      [put("", big), "bad-entry"],
      [put("c", "small"), "Stored 'c'."],
      [jsonFrame({ action: "search", value: big }), "bad-request"],
      [jsonFrame({ action: "double" }), "Error: invalid action 'double'."],
      [put("d", big), "Stored 'd'."],
    ];
    const outcomes = requests.map(([frame]) => outcome(client, frame));
    assertEquals(await Promise.all(outcomes), requests.map(([, expected]) => expected));
  }));

Deno.test("a client's changes are carried out in the order in which it asks for them", () =>
  withServer({ writable: true }, async (client, engine) => {
    const step = fc.record({
      key: fc.constantFrom("a", "b"),
      kind: fc.constantFrom("large", "large", "small", "delete"),
    });
    const property = fc.asyncProperty(
      fc.array(step, { minLength: 1, maxLength: 12 }),
      async (steps) => {
        await Promise.all([engine.delete("a"), engine.delete("b")]);
        const expected = new Map<string, string>();
        const asked = steps.map(({ key, kind }, i) => {
          const text = kind === "large" ? `${i} ${"y".repeat(70_000 + i * 5_000)}` : `${i}`;
          if (kind === "delete") expected.delete(key);
          else expected.set(key, text);
          return outcome(
            client,
            kind === "delete" ? jsonFrame({ action: "delete", value: key }) : put(key, text),
          );
        });
        await Promise.all(asked);
        for (const key of ["a", "b"]) assertEquals(engine.lookup(key)?.text, expected.get(key));
      },
    );
    await fc.assert(property, { numRuns: 5 });
  }));

Deno.test("a server that takes no changes refuses large content by its length alone", async () => {
  await using engine = await openSearch({ workers: 1 });
  assertEquals(engine.maxRequestBytes, SMALL_BYTES);
  const { maxRequestBytes: maxContentBytes } = engine;
  await using server = serveRequests(await listenLocally(), searchHandler(engine), {
    maxContentBytes,
  });
  for (const type of ["text/json", "binary/custom-client-binary-type"]) {
    using client = await RawClient.connect(server.address);
    // Nothing of the content is sent, and still there is an answer.
    await client.send(rawFrame(JSON.stringify({
      "byteorder": "little",
      "content-type": type,
      "content-encoding": "utf-8",
      "content-length": SMALL_BYTES + 1,
    })));
    const { error } = await client.json() as { error: { code: string } };
    assertEquals(error.code, "frame-too-large");
  }
  using client = await RawClient.connect(server.address);
  const padding = " ".repeat(SMALL_BYTES - 36);
  await client.send({
    header: { "content-type": "text/json" },
    content: `{"action":"search","value":"ring"}  ${padding}`,
  });
  assertStringIncludes(String((await client.json())["result"]), "Misty Mountains");
});

Deno.test("with a larger limit, it answers large requests without parsing them", () =>
  withServer({ writable: false }, async (client) => {
    assertEquals(await outcome(client, put("k", "x".repeat(SMALL_BYTES))), "bad-request");
    const broken = { header: { "content-type": "text/json" }, content: "[".repeat(5 * MiB) };
    assertEquals(await outcome(client, broken), "bad-request");
    assertEquals(await outcome(client, jsonFrame({ action: "get", value: "k" })), "not-found");
  }));

Deno.test("the largest entry can be put, however its text is written", async () => {
  const maxEntryBytes = 300_000;
  await using engine = await openSearch({ workers: 1, data: [], writable: true, maxEntryBytes });
  const { maxRequestBytes: maxContentBytes } = engine;
  assertEquals(maxContentBytes, 6 * maxEntryBytes + 4096);
  await using server = serveRequests(await listenLocally(), searchHandler(engine), {
    maxContentBytes,
  });
  await using client = await connectRequests(server.address);
  const text = "\u0001".repeat(maxEntryBytes - 1);
  const frame = put("k", text);
  assert(encodeFrame(frame).length > 5.9 * maxEntryBytes);
  assertEquals(await outcome(client, frame), "Stored 'k'.");
  assertEquals(engine.lookup("k")?.text, text);
  assertEquals(await outcome(client, put("k", text + "\u0001")), "bad-entry");
});

Deno.test("a small largest entry leaves room for small requests", async () => {
  await using engine = await openSearch({ workers: 1, writable: true, maxEntryBytes: 10 });
  assertEquals(engine.maxRequestBytes, SMALL_BYTES);
});

Deno.test("searchHandler() takes no engine of another making", () => {
  const engine = { lookup() {}, generation: 1 } as unknown as SearchEngine;
  assertThrows(() => searchHandler(engine), TypeError, "openSearch");
});

Deno.test("large requests count as their client's, and are refused where there is no room", async () => {
  await using engine = await openSearch({ workers: 1, data: [], writable: true });
  const limits = { maxContentBytes: 32 * MiB, maxUnreadBytes: 3 * MiB };
  const handler = searchHandler(engine);
  await using server = serveRequests(await listenLocally(), handler, limits);
  const clients = await Promise.all(
    Array.from({ length: 8 }, () => RawClient.connect(server.address)),
  );
  const text = "word ".repeat(MiB / 5);
  let most = 0;
  const looking = setInterval(() => most = Math.max(most, server.memory.unreadBytes), 1);
  const outcomes = await Promise.all(clients.map(async (client, i) => {
    await client.send(put(`k${i}`, text));
    const { error, result } = await client.json() as { error?: { code: string }; result: string };
    return error?.code ?? result;
  }));
  clearInterval(looking);
  const stored = outcomes.filter((outcome) => outcome.startsWith("Stored "));
  assert(stored.length > 0, outcomes.join());
  assertEquals(outcomes.filter((outcome) => outcome === "busy").length, 8 - stored.length);
  assert(most > MiB, `${most} bytes were counted`);
  // Nobody was ended, and all is given back.
  for (const [i, client] of clients.entries()) {
    await client.send(put(`again${i}`, text));
    assertEquals((await client.json())["result"], `Stored 'again${i}'.`);
  }
  assertEquals(server.memory.unreadBytes, 0);
  for (const client of clients) client.close();
});
