/** A system that cannot watch, or stops doing so. */
import { assertEquals } from "@std/assert";
import { DataWatcher, type WatchingSystem } from "../../lib/search/index/watch_data.ts";
import { deadline, until } from "../support/deadline.ts";
import { Folder } from "./support.ts";

/** A watcher of a folder, and what it has told. */
function watching(folder: Folder, watch: WatchingSystem["watch"]) {
  const told: (string | undefined)[] = [];
  const changes: unknown[] = [];
  const options = { data: [folder.path], follow: false, exclude: [], ownFiles: new Set<string>() };
  const events = {
    changed: (places: unknown) => void changes.push(places),
    watching: ({ problem }: { problem: string | undefined }) => void told.push(problem),
  };
  return { told, changes, watcher: new DataWatcher(options, events, { watch, lookMs: 20 }) };
}

Deno.test("where the system cannot watch, all data are looked at until it can", async () => {
  await using folder = await Folder.make({ "a.txt": "one" });
  let isFull = true;
  const { told, changes, watcher } = watching(folder, (paths, options) => {
    if (isFull) throw new Error("the limit is reached");
    return Deno.watchFs(paths, options);
  });
  using _ = watcher;
  for (let tries = 0; tries < 2; tries++) {
    await deadline(watcher.update());
    assertEquals(told, ["the limit is reached"]);
    changes.length = 0;
    await until(() => changes.length >= 2, "it is looked at");
    assertEquals(changes.slice(0, 2), [undefined, undefined]);
  }
  isFull = false;
  await deadline(watcher.update());
  assertEquals(told, ["the limit is reached", undefined]);
  changes.length = 0;
  await folder.write("a.txt", "two");
  await until(() => changes.length > 0, "the system tells of it");
  assertEquals(changes[0] !== undefined, Deno.build.os === "linux");
});

Deno.test("a watcher of the system that fails is told, and made anew", async () => {
  await using folder = await Folder.make({ "a.txt": "one" });
  const broken = Promise.withResolvers<never>();
  let made = 0;
  const { told, changes, watcher } = watching(folder, (paths, options) => {
    if (made++ > 0) return Deno.watchFs(paths, options);
    const iterator = { next: () => broken.promise };
    return { close() {}, [Symbol.asyncIterator]: () => iterator } as unknown as Deno.FsWatcher;
  });
  using _ = watcher;
  await deadline(watcher.update());
  assertEquals([told, changes], [[], []]);
  broken.reject(new Error("it cannot be read"));
  await until(() => changes.length > 0, "it is looked at");
  assertEquals(told, ["it cannot be read"]);
  await deadline(watcher.update());
  assertEquals([told.at(-1), made], [undefined, 2]);
});
