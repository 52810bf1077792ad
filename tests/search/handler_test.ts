import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { type Frame, jsonFrame, type OutgoingFrame } from "../../lib/frame/mod.ts";
import {
  connectRequests,
  type RequestClient,
  RequestError,
  serveRequests,
} from "../../lib/request/mod.ts";
import { toRequestError } from "../../lib/search/actions.ts";
import {
  openSearch,
  SearchError,
  searchHandler,
  type SearchHit,
  type SearchOptions,
} from "../../lib/search/mod.ts";
import { listenLocally, RawClient, Recorder } from "../support/peers.ts";
import { Folder } from "./support.ts";

interface Reply {
  readonly result: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  readonly [field: string]: unknown;
}

/** A client of a search server, and how it asks. */
async function withServer(
  options: SearchOptions,
  fn: (
    ask: (request: unknown) => Promise<Reply>,
    client: RequestClient,
    observer: Recorder,
  ) => Promise<void>,
): Promise<void> {
  const observer = new Recorder();
  await using engine = await openSearch({ workers: 1, ...options });
  await using server = serveRequests(await listenLocally(), searchHandler(engine), { observer });
  await using client = await connectRequests(server.address);
  const ask = async (request: unknown) =>
    replyOf(await client.request(jsonFrame(request), { raw: true }));
  await fn(ask, client, observer);
}

function replyOf(frame: Frame): Reply {
  const { header } = frame;
  assertEquals([header["content-type"], header["content-encoding"]], ["text/json", "utf-8"]);
  return frame.json() as Reply;
}

/** A frame of bytes with these fields. */
function bytes(content: number[] | Uint8Array, header: Record<string, unknown>): OutgoingFrame {
  return { header, content: Uint8Array.from(content) };
}

Deno.test("the tutorial's requests get the tutorial's answers", () =>
  withServer({}, async (ask, client) => {
    const texts = {
      morpheus: "Follow the white rabbit. 🐰",
      ring: "In the caves beneath the Misty Mountains. 💍",
      "🐶": "🐾 Playing ball! 🏐",
    };
    // Twice: the second time from memory.
    for (let i = 0; i < 2; i++) {
      for (const [key, text] of Object.entries(texts)) {
        assertEquals((await ask({ action: "search", value: key })).result, text);
      }
    }
    const none = await ask({ action: "search", value: "qqq" });
    assertEquals([none.result, none["total"], none["hits"]], ["No match for 'qqq'.", 0, []]);
    assertEquals(await ask({ action: "double", value: 21 }), {
      result: "Error: invalid action 'double'.",
    });
    const binary = { "content-type": "binary/custom-client-binary-type" };
    const answer = await client.request(bytes(new TextEncoder().encode("binary😃"), binary));
    assertEquals(answer.header["content-type"], "binary/custom-server-binary-type");
    assertEquals(answer.header["content-encoding"], "binary");
    assertEquals(new TextDecoder().decode(answer.content), "First 10 bytes of request: binary😃");
  }));

Deno.test("any other content type is answered with the first 10 bytes", () =>
  withServer({}, async (_, client) => {
    const greeting = [...new TextEncoder().encode("First 10 bytes of request: ")];
    const contents = [[], [0], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], [0xff, 0xfe, 0x80]];
    for (const type of ["text/plain", "application/json", "", "TEXT/JSON", "x"]) {
      for (const content of contents) {
        const answer = await client.request(bytes(content, { "content-type": type }));
        assertEquals([...answer.content], [...greeting, ...content.slice(0, 10)]);
      }
    }
  }));

Deno.test("content that is not JSON, or no object, is answered, and the connection goes on", () =>
  withServer({}, async (ask, client, observer) => {
    const json = { "content-type": "text/json", "content-encoding": "utf-8" };
    const wrong: [OutgoingFrame, string][] = [
      [bytes([], json), "bad-json"],
      [bytes([0x7b], json), "bad-json"],
      [bytes([0xff, 0xff], json), "bad-text"],
      [bytes([0x7b, 0x7d], { ...json, "content-encoding": "klingon" }), "unknown-encoding"],
      [bytes([0x7b, 0x7d], { ...json, "content-encoding": "binary" }), "unknown-encoding"],
      [jsonFrame([]), "bad-request"],
      [jsonFrame(null), "bad-request"],
      [jsonFrame("search"), "bad-request"],
      [jsonFrame(7), "bad-request"],
      [jsonFrame({}), "bad-request"],
      [jsonFrame({ action: 5 }), "bad-request"],
      [jsonFrame({ action: null, value: "x" }), "bad-request"],
      [jsonFrame({ action: ["search"] }), "bad-request"],
    ];
    for (const [request, code] of wrong) {
      const { result, error } = replyOf(await client.request(request, { raw: true }));
      assertEquals(error?.code, code, JSON.stringify(error));
      assertEquals(result, `Error: ${error?.message}`);
    }
    assertEquals(
      (await ask({ action: "search", value: "ring" })).result,
      "In the caves beneath the Misty Mountains. 💍",
    );
    assertEquals([observer.requestErrors, observer.frameErrors], [[], []]);
  }));

Deno.test("every field of a wrong type is named", () =>
  withServer({ writable: true }, async (ask) => {
    const texts = { search: ["value"], suggest: ["value"], get: ["value"], delete: ["value"] };
    const wrongTexts = [undefined, null, 5, true, [], {}, ["x"]];
    for (const [action, fields] of Object.entries({ ...texts, put: ["key", "value"] })) {
      for (const field of fields) {
        for (const wrong of wrongTexts) {
          const { error } = await ask({ action, key: "k", value: "v", [field]: wrong });
          assertEquals(error?.code, "bad-request");
          assertEquals(error?.message, `The request's "${field}" must be a string`);
        }
      }
    }
    for (
      const [action, field] of [["search", "limit"], ["search", "offset"], ["suggest", "limit"]]
    ) {
      for (const wrong of [null, -1, 1.5, "5", true, [], 2 ** 53, 1e300]) {
        const { error } = await ask({ action, value: "ring", [field!]: wrong });
        assertEquals(error?.code, "bad-request", `${action} ${field} ${wrong}`);
        assertStringIncludes(error!.message, `"${field}" must be a whole number from 0`);
      }
    }
    const { error } = await ask({ action: "put", key: "k", value: "v", title: 5 });
    assertEquals(error?.message, `The request's "title" must be a string`);
    assertEquals((await ask({ action: "get", value: "k" })).error?.code, "not-found");
  }));

Deno.test("actions that are in JavaScript's objects are invalid all the same", () =>
  withServer({}, async (ask) => {
    for (const action of ["constructor", "__proto__", "toString", "", "Search", "search "]) {
      assertEquals(await ask({ action, value: "x" }), {
        result: `Error: invalid action '${action}'.`,
      });
    }
  }));

Deno.test("a search takes limit and offset, and replies with ranked hits", () =>
  withServer({ writable: true }, async (ask) => {
    for (let i = 0; i < 5; i++) {
      await ask({ action: "put", key: `k${i}`, title: `T${i}`, value: "tea ".repeat(i + 1) });
    }
    const { hits, total, totalExact, exact } = await ask({ action: "search", value: "tea" });
    assertEquals([total, totalExact, exact], [5, true, false]);
    const keys = (hits as { key: string }[]).map(({ key }) => key);
    assertEquals(keys.toSorted(), ["k0", "k1", "k2", "k3", "k4"]);
    const page = await ask({ action: "search", value: "tea", limit: 2, offset: 1 });
    assertEquals((page["hits"] as { key: string }[]).map(({ key }) => key), keys.slice(1, 3));
    assertEquals(page["total"], 5);
    const none = await ask({ action: "search", value: "tea", limit: 0 });
    assertEquals([none["hits"], none["total"]], [[], 5]);
    const exactly = await ask({ action: "search", value: "k1", limit: 5 });
    assertEquals([exactly.result, exactly["exact"]], ["tea tea ", true]);
    assertEquals((await ask({ action: "search", value: "teea" }))["corrected"], "tea");
    const relaxed = await ask({ action: "search", value: "tea t4" });
    assertEquals([relaxed["relaxed"], relaxed["total"]], [undefined, 1]);
    assertEquals((await ask({ action: "search", value: "t3 t4" }))["relaxed"], ["t4"]);
    const asWritten = { action: "search", value: "teea", exact: true };
    assertEquals((await ask(asWritten))["result"], "No match for 'teea'.");
    const [hit] = (await ask({ action: "search", value: "k2" }))["hits"] as SearchHit[];
    assertEquals(hit?.highlights, { title: [], snippet: [] });
    const [ranked] = (await ask({ action: "search", value: "t2 tea" }))["hits"] as SearchHit[];
    assertEquals(ranked?.highlights, { title: [[0, 2]], snippet: [[0, 3], [4, 7], [8, 11]] });
    const wrong = await ask({ action: "search", value: "tea", exact: 1 });
    assertEquals((wrong["error"] as { code: string }).code, "bad-request");
    // What counts as the most is no error.
    assertEquals((await ask({ action: "search", value: "tea", limit: 2 ** 53 - 1 }))["total"], 5);
  }));

Deno.test("entries are stored, read, completed, counted and deleted", () =>
  withServer({ writable: true }, async (ask) => {
    assertEquals(await ask({ action: "put", key: "neo", title: "The One", value: "no spoon" }), {
      result: "Stored 'neo'.",
      key: "neo",
    });
    assertEquals(await ask({ action: "get", value: "neo" }), {
      result: "no spoon",
      entry: { key: "neo", title: "The One", text: "no spoon" },
    });
    assertEquals(await ask({ action: "suggest", value: "ne" }), {
      result: ["neo"],
      suggestions: [{ key: "neo", title: "The One" }],
    });
    const { result, stats } = await ask({ action: "stats" });
    assertEquals((stats as { entries: number }).entries, 4);
    assertMatch(String(result), /^4 entries, \d+ searches, \d+ lookups$/);
    assertEquals(await ask({ action: "delete", value: "neo" }), {
      result: "Deleted 'neo'.",
      deleted: true,
    });
    assertEquals(await ask({ action: "delete", value: "neo" }), {
      result: "There was no 'neo'.",
      deleted: false,
    });
    const { error } = await ask({ action: "get", value: "neo" });
    assertEquals(error, { code: "not-found", message: "There is no entry with the key 'neo'" });
    assertEquals((await ask({ action: "put", key: "", value: "x" })).error?.code, "bad-entry");
  }));

Deno.test("a server that is not writable says so", () =>
  withServer({}, async (ask, _, observer) => {
    const message = "The server does not take changes of its entries";
    for (
      const request of [{ action: "put", key: "a", value: "b" }, {
        action: "delete",
        value: "ring",
      }]
    ) {
      assertEquals(await ask(request), {
        result: `Error: ${message}`,
        error: { code: "not-writable", message },
      });
    }
    assertEquals((await ask({ action: "get", value: "ring" })).error, undefined);
    assertEquals(observer.requestErrors, []);
  }));

Deno.test("an exact answer is not kept beyond a change of its entry", () =>
  withServer({ writable: true }, async (ask) => {
    const search = async (value: string) => (await ask({ action: "search", value })).result;
    const ring = await search("ring");
    assertEquals(await search("ring"), ring);
    await ask({ action: "put", key: "ring", value: "One to rule them all." });
    assertEquals(await search("ring"), "One to rule them all.");
    assertEquals(await search("ring"), "One to rule them all.");
    await ask({ action: "delete", value: "ring" });
    assertEquals(await search("ring"), "No match for 'ring'.");
    await ask({ action: "put", key: "ring", value: "Back again." });
    assertEquals(await search("ring"), "Back again.");
    // A key that nothing had before.
    assertEquals(await search("oracle"), "No match for 'oracle'.");
    await ask({ action: "put", key: "oracle", value: "Cookies." });
    assertEquals(await search("oracle"), "Cookies.");
  }));

Deno.test("a client that leaves while it is searched for is no failure of the server", async () => {
  const observer = new Recorder();
  await using engine = await openSearch({ workers: 1 });
  await using server = serveRequests(await listenLocally(), searchHandler(engine), { observer });
  for (let i = 0; i < 20; i++) {
    const client = await RawClient.connect(server.address);
    for (let j = 0; j < 10; j++) {
      await client.send(jsonFrame({ action: "search", value: `w${j} x*` }));
    }
    client.close();
  }
  await observer.ended(20);
  using client = await RawClient.connect(server.address);
  await client.send(jsonFrame({ action: "search", value: "morpheus" }));
  assert(String((await client.json())["result"]).startsWith("Follow"));
  assertEquals(observer.requestErrors, []);
});

Deno.test("a client is told of a full disk, and of no path of the server", () => {
  const error = new SearchError("index-full", "Cannot write to the index /srv/secret/i.db: full");
  const told = toRequestError(error);
  assert(told instanceof RequestError);
  assertEquals(told.code, "index-full");
  assertEquals(told.message.includes("/"), false, told.message);
});

Deno.test("a key that several files have is answered with those that tell them apart", async () => {
  await using folder = await Folder.make({ "a.csv": "id,text\n1,x\n", "b.csv": "id,text\n1,y\n" });
  await withServer({ data: [folder.path] }, async (ask) => {
    const { error } = await ask({ action: "get", value: "1" });
    assertEquals(error?.code, "not-found");
    assertMatch(error!.message, /the key '1' alone; there are a\.csv#1, b\.csv#1$/);
    assertEquals((await ask({ action: "get", value: "b.csv#1" })).result, "y");
  });
});
