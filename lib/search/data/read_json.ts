/**
 * Reads a JSON file: an array of records, or an object that is one record, a dictionary of texts, or
 * holds the records in an array.
 *
 * @module
 */
import { EntryMaker } from "./fields.ts";
import {
  type DataFile,
  type DataItem,
  type ReadBroken,
  type ReadOptions,
  tooLarge,
} from "./item.ts";
import { type JsonMember, JsonMembers } from "./json_members.ts";
import { JsonOutline, type JsonPart, recordsOf } from "./json_outline.ts";
import { parseJson } from "./parse_json.ts";
import { readPassages } from "./passages.ts";
import { type RawRecord, readRecords } from "./read_records.ts";
import { KeySurvey } from "./key_survey.ts";
import type { Fields } from "./field_values.ts";
import { TextSource } from "./text_source.ts";

/** JSON may write one character as six: \u0041. */
const MAX_ESCAPE = 6;

/** Records that are parsed before the first of them is used. */
const TOGETHER = 100;

/** Reads the file record by record, or as one record. */
export async function* readJson(file: DataFile, options: ReadOptions): AsyncGenerator<DataItem[]> {
  const source = await TextSource.open(file, options);
  if (source.note !== undefined) yield [source.note];
  const outline = await outlineOf(source);
  const top = outline.parts[0];
  const { part, note } = chooseRecords(outline, options);
  if (note !== undefined) yield [{ note, option: "records" }];
  if (top !== undefined && !top.isArray && part === undefined && !isDictionary(outline, options)) {
    yield* readOne(file, options, source);
    return;
  }
  yield* readRecords(
    file,
    options,
    source,
    (isLast) => membersOf(source, part, options, isLast),
  );
}

async function outlineOf(source: TextSource): Promise<JsonOutline> {
  const outline = new JsonOutline();
  for await (const chunk of source.chunks()) if (!outline.push(chunk)) break;
  outline.end();
  return outline;
}

/** The part of the file that holds its records; `undefined` for the whole file. */
function chooseRecords(outline: JsonOutline, { records, entries }: ReadOptions) {
  const top = outline.parts[0];
  let note: string | undefined;
  if (records !== undefined && top !== undefined && !top.isArray) {
    const part = outline.parts.find(({ path }) => path.join(".") === records);
    if (part !== undefined) return { part, note };
    note = `it has no ${JSON.stringify(records)} that holds records`;
  }
  if (top === undefined || top.isArray || entries || records !== undefined) {
    return { part: undefined, note };
  }
  const part = recordsOf(outline);
  if (part !== undefined) {
    note = `its records were taken from ${JSON.stringify(part.path.join("."))}`;
  }
  return { part, note };
}

/** Whether each member of the outermost object is an entry. */
function isDictionary({ parts, names }: JsonOutline, { entries }: ReadOptions): boolean {
  if (entries) return true;
  const { members, texts } = parts[0]!;
  if (members === 0 || texts !== members) return false;
  // All are texts, but by their names they are the title and the text of one record.
  const known = new Set(names.map((name) => name.toLowerCase()));
  return !(["title", "name"].some((name) => known.has(name)) &&
    ["text", "body", "content", "description", "version"].some((name) => known.has(name)));
}

async function* readOne(
  file: DataFile,
  options: ReadOptions,
  source: TextSource,
): AsyncGenerator<DataItem[]> {
  const maxLength = options.maxEntryBytes * MAX_ESCAPE;
  let text = "";
  for await (const chunk of source.chunks(true)) {
    text += chunk;
    if (text.length > maxLength) break;
  }
  let { broken: problem, option }: Partial<ReadBroken> = tooLarge(options);
  if (text.length <= maxLength) {
    try {
      const value = parseJson(text);
      const survey = new KeySurvey();
      survey.add(value as Fields);
      const entry = new EntryMaker(options, file.name, survey.names()).make(value, "");
      if (typeof entry === "string") yield [{ line: 1, broken: entry }];
      else if (entry.text.length <= options.maxEntryBytes) yield [{ entry }];
      else yield* readPassages(file, options, source, undefined);
      return;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      problem = `it is not JSON: ${error.message}`;
      option = undefined;
    }
  }
  yield [{ note: `${problem}; it was read as text`, option }];
  yield* readPassages(file, options, source, undefined);
}

async function* membersOf(
  source: TextSource,
  part: JsonPart | undefined,
  options: ReadOptions,
  isLast: boolean,
): AsyncGenerator<RawRecord[]> {
  const members = new JsonMembers(options.maxEntryBytes * MAX_ESCAPE, part?.line);
  const recordOf = (found: JsonFound): RawRecord =>
    "problem" in found
      ? { line: found.line, broken: found.problem }
      : { line: found.line, ...valueOf(found, members.container!, options) };
  let skip = part?.start ?? 0;
  for await (const chunk of source.chunks(isLast)) {
    const from = Math.min(skip, chunk.length);
    skip -= from;
    // A chunk may be a whole file of 1 MiB: what it holds is not parsed all at once.
    let records: RawRecord[] = [];
    for (const found of members.push(chunk.slice(from))) {
      records.push(recordOf(found));
      if (records.length < TOGETHER) continue;
      yield records;
      records = [];
    }
    yield records;
  }
  yield [...members.end()].map(recordOf);
}

type JsonFound = ReturnType<JsonMembers["push"]> extends Generator<infer T> ? T : never;

function valueOf(member: JsonMember, container: "object" | "array", options: ReadOptions) {
  if (member.tooLong) return tooLarge(options);
  try {
    if (container === "array") return { value: parseJson(member.text) };
    const [name, value] = Object.entries(parseJson(`{${member.text}}`) as Fields)[0]!;
    if (typeof value === "string" || typeof value === "number") {
      const { keyField = "key", titleField = "title", textFields } = options;
      const entry = { [titleField]: name, [textFields[0] ?? "text"]: value };
      return { value: keyField === false ? entry : { ...entry, [keyField]: name } };
    }
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      return { broken: "it is neither text nor object" };
    }
    // The member's name is the key, unless the caller names the field that is.
    if (options.keyField === undefined) return { value: { ...value, key: name } };
    return { value: options.keyField === false ? { name, ...value } : value };
  } catch (error) {
    return { broken: `it is not JSON: ${(error as Error).message}` };
  }
}
