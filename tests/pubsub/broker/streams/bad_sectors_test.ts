/** Of a store on a disk that cannot read all of it, a repair keeps what can be read. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { examineStore } from "../../../../lib/pubsub/broker/streams/sqlite/examine.ts";
import { RECORDS_AT } from "../../../../lib/pubsub/broker/streams/sqlite/journal/layout.ts";
import { rescue } from "../../../../lib/pubsub/broker/streams/sqlite/rescue.ts";
import { readableParts } from "../../../../lib/pubsub/broker/streams/sqlite/readable_parts.ts";
import { Scratch } from "../../../support/scratch.ts";
import { FolderStore } from "./journal_support.ts";

/** Bytes of a file that cannot be read. */
type BadBytes = readonly [path: string, from: number, to: number];

/** Does something while the disk cannot read some bytes. */
function withBadBytes<T>([bad, from, to]: BadBytes, run: () => T): T {
  const { openSync } = Deno;
  const wrapped = (file: Deno.FsFile): Deno.FsFile => {
    const readSync = (into: Uint8Array) => {
      const at = file.seekSync(0, Deno.SeekMode.Current);
      if (at < to && at + into.length > from) throw new Error("Input/output error (os error 5)");
      return file.readSync(into);
    };
    return new Proxy(file, {
      get(_, name) {
        if (name === "readSync") return readSync;
        const value = Reflect.get(file, name, file);
        return typeof value === "function" ? value.bind(file) : value;
      },
    });
  };
  Deno.openSync = (path, options) => {
    const file = openSync(path, options);
    return path === bad ? wrapped(file) : file;
  };
  try {
    return run();
  } finally {
    Deno.openSync = openSync;
  }
}

Deno.test("readableParts() reads all but the blocks that fail, which are zeros", () => {
  using scratch = new Scratch();
  const content = Uint8Array.from({ length: 20_001 }, (_, i) => 1 + i % 255);
  const path = scratch.at("file");
  Deno.writeFileSync(path, content);
  const expected = content.slice();
  expected.fill(0, 4_096, 12_288);
  for (const partBytes of [4_096, 8_192, 16_384, undefined]) {
    const [read, unreadable] = withBadBytes([path, 8_000, 8_193], () => {
      const parts = Array.from(readableParts(path, partBytes), (part) => ({
        ...part,
        bytes: part.bytes.slice(),
      }));
      const sum = parts.reduce((all, part) => all + part.unreadable, 0);
      return [new Uint8Array(parts.flatMap(({ bytes }) => [...bytes])), sum];
    });
    assertEquals([read, unreadable], [expected, 8_192], `${partBytes}`);
  }
  const large = scratch.at("large");
  Deno.writeFileSync(large, new Uint8Array(0));
  Deno.truncateSync(large, 1_001 * 4_096);
  assertThrows(
    () => {
      withBadBytes([large, 0, Infinity], () => [...readableParts(large)]);
    },
    Error,
    "Input/output error",
  );
});

Deno.test("a repair keeps what the disk can read of a database, its log and its journal", () => {
  using scratch = new Scratch();
  const store = scratch.at("store");
  Deno.mkdirSync(store);
  using working = new FolderStore(store);
  const texts = ["one", "two", "three", "four"];
  for (const text of texts) {
    working.append(text);
    // All is written to the database, and the journal begins again; the last is in the journal alone.
    if (text !== "four") {
      for (let i = 0; i < 2; i++) working.engine.perform([], working.now += 1_000);
    }
  }
  const folder = working.copyTo(scratch.at("killed"));
  const [db, log, journal] = ["socktool.db", "socktool.db-wal", "socktool.journal"]
    .map((name) => `${folder}/${name}`) as [string, string, string];
  const logBytes = Deno.statSync(log).size;
  const cases: readonly (readonly [BadBytes, kept: number, lost: RegExp])[] = [
    [[db, 0, 1], 4, /^4096 bytes of .*socktool.db, which/],
    [[log, logBytes - 1, logBytes], 2, /bytes of .*socktool.db-wal, which/],
    [
      [journal, RECORDS_AT, RECORDS_AT + 1],
      3,
      /^4096 bytes of .*socktool.journal, which the disk cannot read$/,
    ],
  ];
  for (const [i, [bad, kept, told]] of cases.entries()) {
    const target = scratch.at(`target${i}`);
    const readable = scratch.at(`readable${i}`);
    const lost = withBadBytes(
      bad,
      () => rescue({ path: db, readable, target }, false, () => {}),
    );
    assertEquals(examineStore(target, undefined), { streams: 1, messages: kept, problems: [] });
    assert(lost.some((each) => told.test(each)), `${bad}: ${lost.join()}`);
  }
});
