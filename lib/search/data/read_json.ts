/**
 * Reads a JSON file: an object of key → text (or key → record), or an array of records.
 *
 * @module
 */
import { entryOf, type Fields } from "./fields.ts";
import type { DataFile, DataItem, ReadOptions } from "./item.ts";
import { type JsonMember, JsonMembers } from "./json_members.ts";
import { textChunks } from "./text_chunks.ts";

/** Reads the file record by record. The key of a record without one is `NAME:LINE`. */
export async function* readJson(file: DataFile, options: ReadOptions): AsyncGenerator<DataItem> {
  // JSON may write one character as six: \u0041.
  const members = new JsonMembers(options.maxEntryBytes * 6);
  const itemOf = (found: ReturnType<JsonMembers["push"]> extends Generator<infer T> ? T : never) =>
    "problem" in found
      ? { line: found.line, broken: found.problem }
      : { line: found.line, ...recordOf(found, members.container!, file, options) };
  for await (const chunk of textChunks(file, options)) {
    for (const found of members.push(chunk)) yield itemOf(found);
  }
  for (const found of members.end()) yield itemOf(found);
}

function recordOf(
  member: JsonMember,
  container: "object" | "array",
  file: DataFile,
  options: ReadOptions,
) {
  if (member.tooLong) return { broken: `it is larger than ${options.maxEntryBytes} bytes` };
  let key: string | undefined;
  let value: unknown;
  try {
    value = JSON.parse(container === "object" ? `{${member.text}}` : member.text);
    if (container === "object") [key, value] = Object.entries(value as Fields)[0]!;
  } catch (error) {
    return { broken: `it is not JSON: ${(error as Error).message}` };
  }
  if (key !== undefined && typeof value !== "object") {
    const text = String(value);
    const wellFormed = key.toWellFormed();
    return { entry: { local: wellFormed, place: undefined, title: wellFormed, text } };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { broken: key === undefined ? "it is not an object" : "it is neither text nor object" };
  }
  // The member's name is the key, unless the caller names the field that is.
  const fields = key !== undefined && options.keyField === undefined
    ? { ...value as Fields, key }
    : value as Fields;
  const entry = entryOf(fields, options, file.name, `:${member.line}`);
  return typeof entry === "string" ? { broken: entry } : { entry };
}
