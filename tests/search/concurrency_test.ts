import { assert, assertEquals } from "@std/assert";
import { openSearch } from "../../lib/search/mod.ts";
import { Folder, Recorder, records } from "./support.ts";

Deno.test("lookups and searches are answered while data are taken in", async () => {
  await using folder = await Folder.make({ "data/a.jsonl": records(2000) });
  const observer = new Recorder();
  await using engine = await openSearch({
    data: [folder.at("data")],
    index: folder.at("i.db"),
    watch: true,
    writable: true,
    observer,
  });
  await folder.write("data/b.jsonl", records(10_000, 2000));
  let [lookups, searches, puts] = [0, 0, 0];
  const seen = new Set<number>();
  const isOver = () => engine.lookup("k11999") !== undefined;
  const stop = performance.now() + 30_000;
  while (!isOver() && performance.now() < stop) {
    for (let i = 0; i < 100; i++, lookups++) {
      assertEquals(engine.lookup(`k${i}`)?.title, `Title ${i}`);
    }
    const { total, hits } = await engine.search("common", { limit: 1 });
    // All of an answer is from one state of the index.
    assert(total >= 2000 && total <= 12_000 && hits.length === 1);
    seen.add(total);
    searches++;
    await engine.put({ key: `p${puts}`, title: "", text: "put meanwhile" });
    assertEquals(engine.lookup(`p${puts}`)?.text, "put meanwhile");
    puts++;
  }
  assert(isOver() && lookups > 0 && searches > 0);
  await observer.until(() => observer.summaries.length >= 2);
  assertEquals((await engine.search("common")).total, 12_000);
  assertEquals((await engine.search("meanwhile")).total, puts);
});

Deno.test("the generation changes before a write is answered, and the cache never lags", async () => {
  await using engine = await openSearch({ data: [], writable: true });
  const keys = ["a", "b", "c"];
  const clients = keys.map(async (key) => {
    for (let i = 0; i < 100; i++) {
      const before = engine.generation;
      await engine.put({ key, title: "", text: `${i}` });
      assert(engine.generation > before);
      assertEquals(engine.lookup(key)?.text, `${i}`);
      if (i % 10 === 0) {
        assertEquals(await engine.delete(key), true);
        assertEquals(engine.lookup(key), undefined);
      }
    }
  });
  await Promise.all(clients);
  assertEquals((await engine.stats()).writes, 330);
});

Deno.test("writes to one key take effect in the order they were made", async () => {
  await using engine = await openSearch({ data: [], writable: true });
  const writes = Array.from(
    { length: 1000 },
    (_, i) => i % 7 === 3 ? engine.delete("k") : engine.put({ key: "k", title: "", text: `${i}` }),
  );
  const outcomes = await Promise.all(writes);
  assertEquals(outcomes.filter((outcome) => outcome === true).length, 143);
  assertEquals(engine.lookup("k")?.text, "999");
});

Deno.test("writes share a transaction if they are small, so that none waits long for others' text", async () => {
  await using engine = await openSearch({ data: [], writable: true });
  /** How many transactions writes take that come while another one is written. */
  const transactions = async (text: string) => {
    const before = engine.generation;
    const put = (_: unknown, i: number) => engine.put({ key: `k${i}`, title: text.trim(), text });
    await Promise.all(Array.from({ length: 33 }, put));
    return engine.generation - before - 1;
  };
  assertEquals(await transactions("small"), 1);
  const large = await transactions(`${" ".repeat(60 * 1024)}large`);
  assert(large > 8, `${large} transactions for 2 MiB`);
});
