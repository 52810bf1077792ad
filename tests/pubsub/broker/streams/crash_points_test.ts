/** Wherever a process ends between journal and database, what was accepted is stored, once. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { Journal } from "../../../../lib/pubsub/broker/streams/sqlite/journal/journal.ts";
import { Journaling } from "../../../../lib/pubsub/broker/streams/sqlite/journal/journaling.ts";
import { RECORDS_AT } from "../../../../lib/pubsub/broker/streams/sqlite/journal/layout.ts";
import { contentOf } from "../../../../lib/pubsub/broker/streams/sqlite/journal/reading.ts";
import { SqliteError } from "../../../../lib/sqlite/mod.ts";
import { Scratch } from "../../../support/scratch.ts";
import { FolderStore } from "./journal_support.ts";

/** The messages `a`, `b`, `c`, … by their numbers. */
function upTo(last: string): Record<number, string> {
  const found: Record<number, string> = {};
  for (let i = 1; found[i - 1] !== last; i++) found[i] = String.fromCharCode(96 + i);
  return found;
}

/** What a store in a folder has after a crash; a second crash while it is opened changes nothing. */
function contentsIn(scratch: Scratch, folder: string): Record<number, string> {
  using store = new FolderStore(folder);
  const again = store.copyTo(scratch.at(`again${crypto.randomUUID()}`));
  const { contents } = store;
  const texts = Object.values(contents);
  assertEquals(store.append(...texts), texts.map((_, i) => -(i + 1)), "ids are known");
  assertEquals(store.append("next"), [texts.length + 1], "numbers go on");
  using other = new FolderStore(again);
  assertEquals(other.contents, contents);
  return contents;
}

interface Point {
  readonly name: string;
  /** What is done from a store that has `a` and `b` in its journal. @returns where the crash left it. */
  readonly crash: (store: FolderStore, at: string) => string;
  /** What is stored afterwards. */
  readonly stored: string;
}

/** Replaces a method for as long as `use` takes. */
function during<T extends object, K extends keyof T>(
  prototype: T,
  name: K,
  replace: (original: T[K]) => T[K],
  use: () => void,
): void {
  const original = prototype[name];
  prototype[name] = replace(original);
  try {
    use();
  } finally {
    prototype[name] = original;
  }
}

/** Crashes in the middle of a method: before or after it did its work. */
function crashIn(
  prototype: object,
  name: string,
  when: "before" | "after",
  use: (store: FolderStore) => void,
): Point["crash"] {
  return (store, at) => {
    let folder: string | undefined;
    // deno-lint-ignore no-explicit-any
    during(prototype as any, name, (original: any) =>
      // deno-lint-ignore no-explicit-any
      function (this: any, ...args: any[]) {
        if (when === "before") folder ??= store.copyTo(at);
        const value = original.apply(this, args);
        if (when === "after") folder ??= store.copyTo(at);
        return value;
      }, () => use(store));
    assert(folder !== undefined, `${name} was called`);
    return folder;
  };
}

/** Has the database have all of the journal, on the disk: the stream's settings change. */
function commit(store: FolderStore): void {
  const order = { kind: "update", name: "orders", settings: { maxCount: 1_000 } } as const;
  store.engine.perform([order], store.now);
}

/** Takes the last bytes of what was written last, or changes one of them. */
function torn(of: (image: Uint8Array, from: number, to: number) => void): Point["crash"] {
  return (store, at) => {
    const before = lengthOf(store.copyTo(`${at}before`));
    store.append("c");
    const folder = store.copyTo(at);
    const image = Deno.readFileSync(`${folder}/socktool.journal`);
    of(image, before, lengthOf(folder));
    Deno.writeFileSync(`${folder}/socktool.journal`, image);
    return folder;
  };
}

/** Where the records in a folder end, whatever their salt. */
function lengthOf(folder: string): number {
  const image = Deno.readFileSync(`${folder}/socktool.journal`);
  const salt = new DataView(image.buffer).getFloat64(RECORDS_AT, true);
  return contentOf(image, salt).records.at(-1)!.end;
}

const POINTS: readonly Point[] = [
  {
    name: "before the record is written",
    crash: crashIn(Journal.prototype, "write", "before", (store) => store.append("c")),
    stored: "b",
  },
  ...[0, 1, 8, 63, 64, 65].map((bytes): Point => ({
    name: `with ${bytes} bytes of the record`,
    crash: torn((image, from, to) => image.fill(0, from + bytes, to)),
    stored: "b",
  })),
  {
    name: "with all but the first sector of the record",
    crash: torn((image, from, to) => image.fill(0, from, Math.min(to, from + 32))),
    stored: "b",
  },
  {
    name: "with one byte of the record changed",
    crash: torn((image, from, to) => void (image[(from + to) >> 1]! ^= 1)),
    stored: "b",
  },
  {
    name: "after the record is on the disk",
    crash: crashIn(Journal.prototype, "write", "after", (store) => store.append("c")),
    stored: "c",
  },
  {
    name: "during the database's commit, which is taken back",
    crash: crashIn(Journaling.prototype, "renew", "after", commit),
    stored: "b",
  },
  {
    name: "after the database's commit, before the journal begins again",
    crash: crashIn(Journaling.prototype, "renewed", "before", commit),
    stored: "b",
  },
  {
    name: "after the journal has begun again",
    crash: crashIn(Journaling.prototype, "renewed", "after", commit),
    stored: "b",
  },
  {
    name: "after the first record of a journal that has begun again, with others behind it",
    crash: (store, at) => {
      commit(store);
      store.append("c");
      return store.copyTo(at);
    },
    stored: "c",
  },
  {
    name: "after a commit that does not wait for the disk, which the disk has",
    crash: (store, at) => {
      store.save();
      store.append("c");
      return store.copyTo(at);
    },
    stored: "c",
  },
  {
    name: "after a commit that does not wait for the disk, which the disk has not",
    crash: (store, at) => {
      const folder = store.copyTo(at);
      store.save();
      store.append("c");
      const now = store.copyTo(`${at}now`);
      Deno.copyFileSync(`${now}/socktool.journal`, `${folder}/socktool.journal`);
      return folder;
    },
    stored: "c",
  },
];

Deno.test("wherever a process ends, what was accepted is stored once, and nothing else", async (t) => {
  using scratch = new Scratch();
  for (const [i, { name, crash, stored }] of POINTS.entries()) {
    await t.step(name, () => {
      const folder = scratch.at(`store${i}`);
      Deno.mkdirSync(folder);
      using store = new FolderStore(folder);
      assertEquals(store.append("a"), [1]);
      assertEquals(store.append("b"), [2]);
      assertEquals(store.contents, {}, "only the journal has them");
      const left = crash(store, scratch.at(`crashed${i}`));
      assertEquals(contentsIn(scratch, left), upTo(stored));
    });
  }
});

Deno.test("a journal beside another state of the database than its own is told, and not read", () => {
  using scratch = new Scratch();
  const folder = scratch.at("store");
  Deno.mkdirSync(folder);
  using store = new FolderStore(folder);
  store.append("a");
  commit(store);
  const before = store.copyTo(scratch.at("before"));
  store.append("b");
  commit(store);
  store.append("c");
  // The database is put back; the journal goes on behind what it has.
  const later = store.copyTo(scratch.at("later"));
  Deno.copyFileSync(`${later}/socktool.journal`, `${before}/socktool.journal`);
  assertThrows(() => new FolderStore(before), SqliteError, "does not belong to it");
});
