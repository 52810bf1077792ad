import { assertEquals } from "@std/assert";
import { readFile } from "../../lib/search/data/read_file.ts";
import { Folder } from "./support.ts";

const RECORD_BYTES = 512 * 1024;

/** A file of long records, of which only the last two have the same `id`. */
async function openRecords(folder: Folder, count: number) {
  const records = Array.from({ length: count }, (_, i) => {
    const id = Math.min(i, count - 2);
    return JSON.stringify({ id, name: `n${i}`, text: `${i} `.padEnd(RECORD_BYTES, "x") });
  });
  const path = await folder.write("f.jsonl", records.join("\n"));
  const { size: bytes } = await Deno.stat(path);
  let told = 0;
  const items = await readFile({ path, real: path, name: "f.jsonl", bytes }, {
    textFields: [],
    entries: false,
    maxEntryBytes: 2 * RECORD_BYTES,
    follow: false,
    onProgress: (bytes) => told += bytes,
  });
  const keys: string[] = [];
  const read = async (onSome = () => Promise.resolve()) => {
    for await (const some of items) {
      for (const item of some) if ("entry" in item) keys.push(item.entry.local);
      await onSome();
    }
    return keys;
  };
  return { path, bytes, read, told: () => told };
}

Deno.test("all records of a file tell which field is the key, and all are read, however large it is", async () => {
  for (const count of [3, 18]) {
    await using folder = await Folder.make();
    const { bytes, read, told } = await openRecords(folder, count);
    assertEquals(await read(), Array.from({ length: count }, (_, i) => `n${i}`));
    assertEquals(told(), bytes);
  }
});

Deno.test("the records of a file of some MiB are those by which its key was found", async () => {
  await using folder = await Folder.make();
  const { path, read } = await openRecords(folder, 6);
  const keys = await read(() => Deno.writeTextFile(path, "{}\n"));
  assertEquals(keys, ["n0", "n1", "n2", "n3", "n4", "n5"]);
});
