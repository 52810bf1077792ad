/** Entries of more than 64 KiB: workers read and encode them. */
import "../support/recycled_threads.ts";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { openSearch, type SearchEntry, searchHandler } from "../../lib/search/mod.ts";
import { openIndexWriter } from "../../lib/search/index/open_index.ts";
import { RecordStore } from "../../lib/search/index/record_store.ts";
import { EntryReplies } from "../../lib/search/reply/entry_replies.ts";
import { entryReply, exactReply } from "../../lib/search/reply/replies.ts";
import { deadline } from "../support/deadline.ts";
import { listenLocally } from "../support/peers.ts";
import { anyCharacter } from "../support/any_character.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

Deno.test("EntryReplies encodes what JSON.stringify() does, whatever an entry holds", () => {
  const db = openIndexWriter(":memory:", { temporary: true });
  const store = new RecordStore(db);
  const replies = new EntryReplies(db);
  const text = fc.string({ unit: anyCharacter, maxLength: 3000 });
  const special = fc.constantFrom(
    "\0",
    "\ufeff",
    "\u2028",
    '"\\/\b\f\n\r\t',
    "\x1f\x7f",
    "🐰\u{10ffff}",
  );
  const any = fc.array(fc.oneof(text, special), { maxLength: 4 }).map((parts) => parts.join(""));
  fc.assert(
    fc.property(any, any, any, (key, title, text) => {
      const entry: SearchEntry = { key: key.slice(0, 500) || "k", title: title || "t", text };
      store.put(entry);
      for (const [kind, reply] of [["get", entryReply], ["exact", exactReply]] as const) {
        const content = decoder.decode(replies.encode(kind, entry.key));
        assertEquals(JSON.parse(content), JSON.parse(JSON.stringify(reply(entry))));
        assertEquals(Object.keys(JSON.parse(content)), Object.keys(reply(entry)));
      }
      store.deleteKey(entry.key);
      assertEquals(replies.encode("get", entry.key), undefined);
    }),
    { numRuns: 50 },
  );
  db.close();
});

/** Lets a client ask an engine that has these entries. */
async function asking(
  entries: readonly SearchEntry[],
  fn: (ask: (request: unknown) => Promise<Record<string, unknown>>) => Promise<void>,
): Promise<void> {
  await using engine = await openSearch({ workers: 1, data: [], writable: true });
  for (const entry of entries) await engine.put(entry);
  const listener = await listenLocally();
  await using server = serveRequests(listener, searchHandler(engine), {
    maxContentBytes: engine.maxRequestBytes,
  });
  await using client = await connectRequests(server.address, { maxContentBytes: 2 ** 30 });
  await fn(async (request) =>
    (await deadline(client.request(jsonFrame(request), { raw: true }))).json() as Record<
      string,
      unknown
    >
  );
}

Deno.test("entries of all sizes are answered alike", async () => {
  // Around the size from which on workers encode, and from which on contents are sent in parts.
  const sizes = [1, 65_530, 65_536, 65_537, 65_600, 131_000, 131_072, 200_000, 1_000_000];
  const entries = sizes.map((size) => ({
    key: `k${size}`,
    title: `Title of ${size}`,
    text: `é"\\\n🐰 ${"x".repeat(size)}`.slice(0, size),
  }));
  await asking(entries, async (ask) => {
    for (const entry of entries) {
      // Twice: the second time from memory, where it is kept.
      for (let i = 0; i < 2; i++) {
        assertEquals(await ask({ action: "get", value: entry.key }), entryReply(entry));
        assertEquals(await ask({ action: "search", value: entry.key }), exactReply(entry));
      }
    }
    // Many at once, mixed with small ones, in order.
    const keys = Array.from({ length: 40 }, (_, i) => entries[i % entries.length]!);
    const answers = keys.map(({ key }) => ask({ action: "get", value: key }));
    const results = (await Promise.all(answers)).map(({ result }) => (result as string).length);
    assertEquals(results, keys.map(({ text }) => text.length));
  });
});

Deno.test("a large entry that is changed or deleted is answered as it is then", () =>
  asking([{ key: "k", title: "k", text: "a".repeat(100_000) }], async (ask) => {
    assertEquals((await ask({ action: "search", value: "k" }))["exact"], true);
    await ask({ action: "put", key: "k", value: "small" });
    assertEquals((await ask({ action: "get", value: "k" }))["result"], "small");
    await ask({ action: "put", key: "k", value: "b".repeat(100_000) });
    assertEquals((await ask({ action: "get", value: "k" }))["result"], "b".repeat(100_000));
    await ask({ action: "delete", value: "k" });
    const { error } = await ask({ action: "get", value: "k" });
    assertEquals((error as { code: string }).code, "not-found");
    assertEquals((await ask({ action: "search", value: "k" }))["result"], "No match for 'k'.");
  }));

Deno.test("hits and completions show the beginning of a large title, the entry all of it", () => {
  const title = `${"🐰".repeat(600)} title`;
  const entries = ["one", "two"].map((key) => ({ key, title, text: `findme ${key}` }));
  return asking(entries, async (ask) => {
    const { hits } = await ask({ action: "search", value: "findme" });
    const { suggestions } = await ask({ action: "suggest", value: "o" });
    const { hits: exact } = await ask({ action: "search", value: "one" });
    for (const list of [hits, suggestions, exact]) {
      for (const { title: shown } of list as { title: string }[]) {
        assert(shown.length >= 1000 && shown.length <= 2000 && title.startsWith(shown));
      }
    }
    const { entry } = await ask({ action: "get", value: "one" });
    assertEquals((entry as SearchEntry).title, title);
  });
});
