import { assert, assertEquals, assertRejects, assertStrictEquals, assertThrows } from "@std/assert";
import { openSearch } from "../../lib/search/mod.ts";
import { assertCode } from "./support.ts";

Deno.test("without data the tutorial's entries are served", async () => {
  await using engine = await openSearch();
  assertEquals(engine.lookup("morpheus")?.text, "Follow the white rabbit. 🐰");
  assertEquals(engine.lookup("ring")?.text, "In the caves beneath the Misty Mountains. 💍");
  assertEquals(engine.lookup("🐶"), { key: "🐶", title: "🐶", text: "🐾 Playing ball! 🏐" });
  assertEquals(engine.lookup("other"), undefined);
  assertEquals(await engine.get("ring"), engine.lookup("ring"));
  const result = await engine.search("🐶");
  assertEquals([result.result, result.exact, result.total], ["🐾 Playing ball! 🏐", true, 1]);
  assertEquals((await engine.stats()).entries, 3);
});

Deno.test("an empty list of data is no data", async () => {
  await using engine = await openSearch({ data: [] });
  assertEquals((await engine.stats()).entries, 0);
  assertEquals(await engine.search("ring"), {
    result: undefined,
    exact: false,
    hits: [],
    total: 0,
    totalExact: true,
  });
});

Deno.test("put() and delete() change what is found, and the generation", async () => {
  await using engine = await openSearch({ writable: true });
  const before = engine.generation;
  await engine.put({ key: "neo", title: "The One", text: "There is no spoon." });
  assert(engine.generation !== before);
  assertEquals(engine.lookup("neo"), { key: "neo", title: "The One", text: "There is no spoon." });
  assertEquals((await engine.search("spoon")).hits[0]?.key, "neo");
  await engine.put({ key: "neo", title: "", text: "I know kung fu masters." });
  assertEquals(engine.lookup("neo")?.title, "neo");
  assertEquals((await engine.search("spoon")).total, 0);
  assertEquals(await engine.delete("neo"), true);
  assertEquals(await engine.delete("neo"), false);
  assertEquals(engine.lookup("neo"), undefined);
  assertEquals((await engine.search("masters")).total, 0);
});

Deno.test("an entry put again as it is changes nothing", async () => {
  await using engine = await openSearch({ writable: true });
  const entry = { key: "a", title: "A", text: "same" };
  await engine.put(entry);
  const before = engine.generation;
  await engine.put(entry);
  assertEquals(engine.generation, before);
});

Deno.test("stats() has entries counted once until one changes", async () => {
  await using engine = await openSearch({ writable: true });
  const { postMessage } = Worker.prototype;
  let counted = 0;
  Worker.prototype.postMessage = function (message: unknown, ...rest: unknown[]) {
    if ((message as { task?: { kind: string } }).task?.kind === "count") counted++;
    Reflect.apply(postMessage, this, [message, ...rest]);
  };
  const entries = async () => {
    const all = await Promise.all([engine.stats(), engine.stats(), engine.stats()]);
    return [...new Set(all.map(({ entries }) => entries)), counted];
  };
  try {
    assertEquals(await entries(), [3, 1]);
    await engine.put({ key: "neo", title: "The One", text: "There is no spoon." });
    assertEquals(await entries(), [4, 2]);
    await engine.put({ key: "neo", title: "The One", text: "There is no spoon." });
    assertEquals(await entries(), [4, 2]);
    await engine.delete("neo");
    assertEquals(await entries(), [3, 3]);
  } finally {
    Worker.prototype.postMessage = postMessage;
  }
});

Deno.test("lookup() returns one frozen object from memory", async () => {
  await using engine = await openSearch();
  const entry = engine.lookup("ring")!;
  assertStrictEquals(engine.lookup("ring"), entry);
  assert(Object.isFrozen(entry));
  const { lookups, lookupCacheHits, lookupCacheBytes } = await engine.stats();
  assertEquals([lookups, lookupCacheHits], [2, 1]);
  assert(lookupCacheBytes > 0);
});

Deno.test("keys of any characters are told apart", async () => {
  await using engine = await openSearch({ data: [], writable: true });
  const keys = [
    "a\0b",
    "a\0c",
    "a",
    "日本語",
    "👨‍👩‍👧",
    "'; DROP",
    '"',
    "a b",
    " a",
    "é",
    "e\u0301",
    "x".repeat(4096),
  ];
  for (const key of keys) await engine.put({ key, title: "", text: `text of ${key}` });
  for (const key of keys) {
    assertEquals(engine.lookup(key)?.text, `text of ${key}`);
    const { result, exact, hits } = await engine.search(key);
    assertEquals([result, exact, hits[0]?.key], [`text of ${key}`, true, key]);
  }
  assertEquals((await engine.stats()).entries, keys.length);
  for (const key of keys) assertEquals(await engine.delete(key), true);
});

Deno.test("an entry that cannot be stored is refused", async () => {
  await using engine = await openSearch({ writable: true, maxEntryBytes: 1000 });
  await assertCode(engine.put({ key: "", title: "", text: "x" }), "bad-entry");
  await assertCode(engine.put({ key: "\ud800", title: "", text: "x" }), "bad-entry");
  await assertCode(engine.put({ key: "é".repeat(2049), title: "", text: "x" }), "bad-entry");
  await assertCode(engine.put({ key: "k", title: "", text: "x".repeat(1001) }), "bad-entry");
  await assertCode(engine.put({ key: "k", title: "", text: "é".repeat(501) }), "bad-entry");
  await engine.put({ key: "k", title: "", text: "é".repeat(499) });
  // deno-lint-ignore no-explicit-any
  await assertRejects(() => engine.put({ key: 1 } as any), TypeError);
});

Deno.test("an engine that is not writable refuses writes", async () => {
  await using engine = await openSearch();
  assertEquals(engine.writable, false);
  await assertCode(engine.put({ key: "a", title: "", text: "b" }), "not-writable");
  await assertCode(engine.delete("ring"), "not-writable");
});

Deno.test("wrong arguments are told by TypeError and RangeError", async () => {
  // deno-lint-ignore no-explicit-any
  const wrong = (value: unknown) => value as any;
  await using engine = await openSearch();
  assertThrows(() => engine.lookup(wrong(1)), TypeError);
  await assertRejects(() => engine.search(wrong(undefined)), TypeError);
  await assertRejects(() => engine.suggest(wrong(null)), TypeError);
  await assertRejects(() => engine.search("a", { limit: wrong("1") }), TypeError);
  for (const number of [-1, 1.5, NaN]) {
    await assertRejects(() => engine.search("a", { limit: number }), RangeError);
    await assertRejects(() => engine.search("a", { offset: number }), RangeError);
    await assertRejects(() => engine.suggest("a", { limit: number }), RangeError);
  }
  await assertRejects(() => openSearch({ data: wrong("path") }), TypeError);
  await assertRejects(() => openSearch({ index: "" }), TypeError);
  await assertRejects(() => openSearch({ workers: 0 }), RangeError);
});

Deno.test("a closed engine fails with closed, and a temporary index is gone", async () => {
  const prefix = "socktool-search-";
  const folders = async () => {
    const names: string[] = [];
    const temp = await Deno.makeTempDir();
    for await (const { name } of Deno.readDir(`${temp}/..`)) {
      if (name.startsWith(prefix)) names.push(name);
    }
    await Deno.remove(temp);
    return names;
  };
  const before = new Set(await folders());
  const engine = await openSearch({ writable: true });
  const mine = (await folders()).filter((name) => !before.has(name));
  await engine.close();
  await engine.close();
  const after = await folders();
  // Other tests may run at the same time, so one of those that appeared must be gone.
  assert(mine.some((name) => !after.includes(name)));
  await assertCode(engine.search("a"), "closed");
  await assertCode(engine.suggest("a"), "closed");
  await assertCode(engine.get("a"), "closed");
  await assertCode(engine.put({ key: "a", title: "", text: "" }), "closed");
  await assertCode(engine.stats(), "closed");
});
