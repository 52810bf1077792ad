/** Reads single files as the indexer does, without an index. */
import type { ReadSettings } from "../../lib/search/data/item.ts";
import { readFile } from "../../lib/search/data/read_file.ts";
import { Folder } from "./support.ts";

/** What was read: `key | title | text` of entries, and what was told, with the line. */
export interface Items {
  readonly entries: string[];
  readonly told: string[];
}

/** Reads one file. A key that is the file's name and a place is written as the place alone. */
export async function readItems(
  name: string,
  content: string | Uint8Array,
  settings: Partial<ReadSettings> = {},
): Promise<Items> {
  await using folder = await Folder.make({ [name]: content });
  const path = folder.at(name);
  const { size: bytes } = await Deno.stat(path);
  const options = {
    textFields: [],
    entries: false,
    maxEntryBytes: 10_000,
    follow: false,
    ...settings,
  };
  const [entries, told]: [string[], string[]] = [[], []];
  try {
    for await (const items of await readFile({ path, real: path, name, bytes }, options)) {
      for (const item of items) {
        const at = "line" in item && item.line !== undefined ? `${item.line}: ` : "";
        if ("note" in item) told.push(`${at}${item.note}${item.option ? ` (${item.option})` : ""}`);
        else if ("broken" in item) {
          told.push(`${at}broken: ${item.broken}${item.option ? ` (${item.option})` : ""}`);
        } else {
          const { local, place, title, text } = item.entry;
          entries.push(`${place ?? local} | ${title} | ${text}`);
        }
      }
    }
  } catch (error) {
    told.push(String(error));
  }
  return { entries, told };
}

/** The bytes of a text in an encoding of one byte a character. */
export function latin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}
