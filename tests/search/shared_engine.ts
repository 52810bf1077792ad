import "../support/recycled_threads.ts";
import type { Engine } from "../../lib/search/engine.ts";
import { openSearch, type SearchOptions } from "../../lib/search/mod.ts";
import { SharedFixture } from "../support/shared_fixture.ts";

/** Tests of a writable engine that has only what each of them stores. */
export function sharedEngine(name: string, options: SearchOptions = {}): SharedFixture<Engine> {
  const keys = new Set<string>();
  const open = async () => {
    const engine = await openSearch({ data: [], writable: true, ...options }) as Engine;
    const [put, store] = [engine.put.bind(engine), engine.store.bind(engine)];
    engine.put = (entry, client) => {
      keys.add(entry.key);
      return put(entry, client);
    };
    engine.store = (entry, client) => {
      keys.add(entry.key);
      return store(entry, client);
    };
    return engine;
  };
  return new SharedFixture(name, open, async (engine) => {
    await Promise.all([...keys].map((key) => engine.delete(key)));
    keys.clear();
  });
}
