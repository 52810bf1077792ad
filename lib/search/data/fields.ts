/**
 * Finds the fields of a record that are its key, title and text.
 *
 * @module
 */
import type { LocalRecord, ReadOptions } from "./item.ts";

// Names that are tried in this order if the caller names no field. Case does not matter.
const KEY_NAMES = ["key", "id", "_id", "slug", "uuid", "url", "path", "name", "title", "word"];
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

/** A record: its fields by their names. */
export type Fields = Readonly<Record<string, unknown>>;

/**
 * Makes an entry of a record.
 *
 * If no field is the text, the text is all fields but the key and the title, a line `name: value`
 * for each. If no field is the key, the key is the file's name and the place in it. If no field is
 * the title, the title is the key.
 *
 * @param name The file's name.
 * @param place What leads to the record, such as `:12`.
 * @returns the entry, or what is wrong with the record.
 */
export function entryOf(
  fields: Fields,
  options: ReadOptions,
  name: string,
  place: string,
): LocalRecord | string {
  const keyName = options.keyField ?? guess(fields, KEY_NAMES);
  const titleName = options.titleField ?? guess(fields, TITLE_NAMES);
  const textName = options.textField ?? guess(fields, TEXT_NAMES);
  const given = [options.keyField, options.textField].find((name) =>
    name !== undefined && textOf(fields[name]) === undefined
  );
  if (given !== undefined) return `it has no field ${JSON.stringify(given)}`;
  const id = keyName === undefined ? undefined : textOf(fields[keyName]);
  const title = titleName === undefined ? undefined : textOf(fields[titleName]);
  const text = textName === undefined
    ? restOf(fields, new Set([keyName, titleName]))
    : textOf(fields[textName]);
  if (title === undefined && (text === undefined || text === "")) {
    return "it has neither text nor title";
  }
  const local = (id ?? name + place).toWellFormed();
  return {
    local,
    place: id === undefined ? place : undefined,
    title: title || local,
    text: text ?? "",
  };
}

function guess(fields: Fields, names: readonly string[]): string | undefined {
  for (const name of names) {
    if (Object.hasOwn(fields, name) && textOf(fields[name])) return name;
  }
  const byLower = new Map(Object.keys(fields).map((name) => [name.trim().toLowerCase(), name]));
  for (const name of names) {
    const own = byLower.get(name);
    if (own !== undefined && textOf(fields[own])) return own;
  }
  return undefined;
}

/** A field's value as text; `undefined` if it is missing or `null`. */
function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    case "object":
      if (value === null) return undefined;
      if (Array.isArray(value) && value.every((item) => typeof item !== "object")) {
        return value.join("\n");
      }
      return JSON.stringify(value);
    default:
      return undefined;
  }
}

function restOf(fields: Fields, without: ReadonlySet<string | undefined>): string {
  return Object.entries(fields)
    .filter(([name, value]) => !without.has(name) && textOf(value))
    .map(([name, value]) => `${name}: ${textOf(value)}`)
    .join("\n");
}
