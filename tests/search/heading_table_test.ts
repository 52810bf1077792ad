import { assertEquals, assertThrows } from "@std/assert";
import { openIndexWriter } from "../../lib/search/index/open_index.ts";
import { RecordStore } from "../../lib/search/index/record_store.ts";

Deno.test("the headings are those of the entries, however many writes share a transaction", () => {
  using db = openIndexWriter(":memory:", { temporary: true });
  const store = new RecordStore(db);
  const put = (n: number, title: string) => store.put({ key: `k${n}`, title, text: `text ${n}` });
  const titles = () =>
    db.prepare("SELECT form, key FROM heading JOIN record USING (id) ORDER BY id").all()
      .map(({ form, key }) => `${key} ${form}`);
  const all = () => Number(db.prepare("SELECT count(*) AS n FROM heading").get()!["n"]);
  const expected: string[] = [];
  for (const count of [1, 2, 63, 64, 65, 200]) {
    store.change(() => {
      for (let i = 0; i < count; i++) {
        const n = expected.length;
        put(n, `Title ${n * 7919 % 1000}`);
        expected.push(`k${n} title ${n * 7919 % 1000}`);
      }
    });
    assertEquals(titles(), expected);
  }
  // A title that was put in the same transaction is replaced, and one is removed.
  store.change(() => {
    put(1000, "first");
    put(1000, "second");
    put(1001, "gone");
    store.deleteKey("k1001");
    put(0, "other");
  });
  expected[0] = "k0 other";
  expected.push("k1000 second");
  assertEquals(titles(), expected);
  assertThrows(() =>
    store.change(() => {
      put(2000, "taken back");
      throw new Error("the disk is full");
    })
  );
  store.change(() => put(2001, "kept"));
  expected.push("k2001 kept");
  assertEquals(titles(), expected);
  assertEquals(all(), expected.length);
});
