/**
 * Makes entries of records: finds the fields that are the key, the title and the text.
 *
 * @module
 */
import { type Fields, hasText, linesOf, textOf } from "./field_values.ts";
import type { LocalRecord, ReadSettings } from "./item.ts";
import { firstLine } from "./text_title.ts";

// Names that are tried in this order if the caller names no field. Case does not matter.
const TITLE_NAMES = ["title", "name", "heading", "headline", "subject", "label"];
const TEXT_NAMES = [
  "text",
  "body",
  "content",
  "contents",
  "description",
  "summary",
  "message",
  "abstract",
  "definition",
  "answer",
  "value",
];

/** Makes entries of the records of one file. */
export class EntryMaker {
  readonly #settings: ReadSettings;
  readonly #name: string;
  readonly #keyNames: readonly string[];

  /**
   * @param name The file's name within its data path.
   * @param keyNames The names of the fields that may be keys, in lower case, the best first; those
   * that the caller names count before.
   */
  constructor(settings: ReadSettings, name: string, keyNames: readonly string[]) {
    this.#settings = settings;
    this.#name = name;
    this.#keyNames = keyNames;
  }

  /**
   * Makes an entry of a record: an object, or a text.
   *
   * The text comes from the fields that the caller names. Otherwise it is the field with a usual
   * name for a text, and behind it all other fields that hold text, as a line `name: value` each;
   * without such a field, it is these lines alone. If no field is the key, the key is the file's
   * name and the place in it. If no field is the title, the title is the key.
   *
   * @param place What leads to the record within the file, such as `:12`.
   * @returns the entry, or what is wrong with the record.
   */
  make(value: unknown, place: string): LocalRecord | string {
    if (typeof value === "string") {
      if (value.trim() === "") return "it is an empty text";
      const local = (this.#name + place).toWellFormed();
      return { local, place, title: firstLine(value) ?? local, text: value };
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return "it is neither an object nor a text";
    }
    return this.#makeOf(value as Fields, place);
  }

  #makeOf(fields: Fields, place: string): LocalRecord | string {
    const { keyField, titleField, textFields } = this.#settings;
    for (const name of [keyField, ...textFields]) {
      if (typeof name !== "string" || textOf(own(fields, name)) !== undefined) continue;
      if (name === keyField || textFields.length === 1) {
        return `it has no field ${JSON.stringify(name)}`;
      }
    }
    const keyName = keyField === false ? undefined : keyField ?? firstNamed(fields, this.#keyNames);
    const titleName = titleField ?? firstNamed(fields, TITLE_NAMES);
    const id = keyName === undefined ? undefined : textOf(own(fields, keyName));
    const title = titleName === undefined ? undefined : textOf(own(fields, titleName));
    const text = textFields.length > 0
      ? textFields.map((name) => textOf(own(fields, name)) ?? "").filter(Boolean).join("\n")
      : textIn(fields, keyName, titleName);
    if (title === undefined && text === "") return "it has neither text nor title";
    const local = (id || this.#name + place).toWellFormed();
    return { local, place: id ? undefined : place, title: title || local, text };
  }
}

function textIn(fields: Fields, ...others: readonly (string | undefined)[]): string {
  const textName = firstNamed(fields, TEXT_NAMES, others);
  const lines: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (name === textName || others.includes(name)) continue;
    if (textName !== undefined && !hasText(value)) continue;
    // One by one: a field may have more members than a call takes arguments.
    for (const line of linesOf(name, value)) lines.push(line);
  }
  if (textName === undefined) return lines.join("\n");
  const text = textOf(fields[textName])!;
  return lines.length === 0 ? text : `${text}\n\n${lines.join("\n")}`;
}

/** The first of some names, in any case, whose field has a value. */
function firstNamed(
  fields: Fields,
  names: readonly string[],
  without: readonly (string | undefined)[] = [],
): string | undefined {
  for (const name of names) {
    if (textOf(own(fields, name)) && !without.includes(name)) return name;
  }
  let byLower: Map<string, string> | undefined;
  for (const name of Object.keys(fields)) {
    const lower = name.trim().toLowerCase();
    if (lower === name) continue;
    byLower ??= new Map();
    if (!byLower.has(lower)) byLower.set(lower, name);
  }
  if (byLower === undefined) return undefined;
  for (const name of names) {
    const found = byLower.get(name);
    if (found !== undefined && textOf(fields[found]) && !without.includes(found)) return found;
  }
  return undefined;
}

function own(fields: Fields, name: string): unknown {
  return Object.hasOwn(fields, name) ? fields[name] : undefined;
}
