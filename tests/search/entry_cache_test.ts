import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { EntryCache } from "../../lib/search/entry_cache.ts";

const entry = (key: string, length = 100) => ({ key, title: "", text: "x".repeat(length) });

Deno.test("the cache stays within its bytes and returns only what was set", () => {
  const operation = fc.record({
    kind: fc.constantFrom("set", "set", "get", "delete"),
    key: fc.integer({ min: 0, max: 40 }).map(String),
    length: fc.nat(300),
  });
  fc.assert(fc.property(fc.array(operation, { maxLength: 300 }), (operations) => {
    const cache = new EntryCache(8000);
    const last = new Map<string, number>();
    for (const { kind, key, length } of operations) {
      if (kind === "set") {
        // As the engine does it: a key that changed is forgotten first.
        cache.delete(key);
        cache.set(entry(key, length));
        last.set(key, length);
      } else if (kind === "delete") {
        cache.delete(key);
        last.delete(key);
      } else {
        const found = cache.get(key);
        if (found !== undefined) assertEquals(found.text.length, last.get(key));
      }
      assert(cache.bytes >= 0 && cache.bytes <= 8000);
    }
    cache.clear();
    assertEquals(cache.bytes, 0);
  }));
});

Deno.test("what is asked for again and again stays", () => {
  const cache = new EntryCache(100_000);
  cache.set(entry("often"));
  for (let i = 0; i < 5000; i++) {
    cache.set(entry(`k${i}`));
    assert(cache.get("often") !== undefined);
  }
  assertEquals(cache.get("k0"), undefined);
});

Deno.test("an entry that would take a large part of the memory is not kept", () => {
  const cache = new EntryCache(100_000);
  cache.set(entry("large", 20_000));
  assertEquals([cache.get("large"), cache.bytes], [undefined, 0]);
});
