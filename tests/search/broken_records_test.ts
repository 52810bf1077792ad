import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { openSearch } from "../../lib/search/mod.ts";
import { JsonMembers } from "../../lib/search/data/json_members.ts";
import { CsvRecords } from "../../lib/search/data/csv_records.ts";
import { readLines } from "../../lib/search/data/lines.ts";
import { Folder, Recorder } from "./support.ts";

/** Takes a file in and returns what is told of its broken records, and which keys there are. */
function take(name: string, content: string, keys: readonly string[]) {
  return takeAll({ [name]: content }, keys);
}

/** Takes files in. */
async function takeAll(
  files: Readonly<Record<string, string>>,
  keys: readonly string[],
  maxEntryBytes = 1000,
) {
  await using folder = await Folder.make(files);
  const observer = new Recorder();
  await using engine = await openSearch({ data: [folder.path], observer, maxEntryBytes });
  assertEquals(observer.summaries[0]?.broken, observer.broken.length);
  return { broken: observer.broken, found: keys.filter((key) => engine.lookup(key) !== undefined) };
}

Deno.test("JSON Lines: a broken record is named by its line and skipped", async () => {
  const lines = [
    '{"key":"a","text":"x"}',
    '{"key":"b","text":',
    "",
    "[1]",
    '{"key":"c"}',
    `{"key":"d","text":"${"x".repeat(1001)}"}`,
    `{"key":"${"k".repeat(5000)}","text":"x"}`,
    '{"key":"e","text":"x"}',
  ];
  const { broken, found } = await take("f.jsonl", lines.join("\n"), ["a", "b", "c", "d", "e"]);
  assertEquals(found, ["a", "e"]);
  assertEquals(broken.map((text) => text.replace(/JSON: .*/, "JSON")), [
    "f.jsonl:2: it is not JSON",
    "f.jsonl:4: it is neither an object nor a text",
    "f.jsonl:5: it has neither text nor title",
    "f.jsonl:6: it is larger than 1000 bytes (maxEntryBytes)",
    "f.jsonl:7: the key is longer than 4096 bytes",
  ]);
});

Deno.test("JSON: a broken record is named by its line, and the others are kept", async () => {
  const json = `[
    {"key": "a", "text": "x"},
    {"key": "b", "text": bad},
    {"key": "c", "text": "not closed},
    {"key": "d",
     "text": "x"},,
    7,
    {"key": "e", "text": "x"}
  ] trailing`;
  const { broken, found } = await take("f.json", json, ["a", "b", "c", "d", "e"]);
  assertEquals(broken.map((text) => text.replace(/JSON: .*/s, "JSON")), [
    "f.json:3: it is not JSON",
    "f.json:4: it is not JSON",
    "f.json:6: a value is missing beside a comma",
    "f.json:7: it is neither an object nor a text",
    "f.json:9: something follows the end of the JSON text",
  ]);
  assertEquals(found, ["a", "d", "e"]);
});

Deno.test("JSON: a file that is cut off, or is something else, is told", async () => {
  const cut = await take("f.json", '{"a": "x",\n"b": "y",\n"c": "z', ["a", "b", "c"]);
  assertEquals(cut.found, ["a", "b"]);
  assertEquals(cut.broken.map((text) => text.slice(0, 9)), ["f.json:3:", "f.json:3:"]);
  assertEquals((await take("f.json", "\n7", [])).broken, [
    "f.json:2: the file holds neither an object nor an array",
  ]);
});

Deno.test("CSV: a record that is too large is skipped in bounded memory", async () => {
  const csv = `id,text\n1,${"x".repeat(5000)}\n2,"${"yyyyyyyyy,\n".repeat(300)}\n3,fine\n`;
  const { broken, found } = await take("f.csv", csv, ["f.csv:2", "f.csv:3", "f.csv:304"]);
  assertEquals(broken[0], "f.csv:2: it is larger than 2000 characters (maxEntryBytes)");
  assertEquals(found, ["f.csv:3", "f.csv:304"]);
});

Deno.test("a record that is too large is told with the option that takes it in", async () => {
  const [little, large] = ["é".repeat(501), "x".repeat(7000)];
  const cases: [ending: string, line: number, content: (key: string) => string][] = [
    ["jsonl", 1, (key) => `{"id":"${key}","text":"${little}"}`],
    ["jsonl", 1, (key) => `{"id":"${key}","text":"${large}"}`],
    ["json", 1, (key) => `[{"id":"${key}","text":"${little}"}]`],
    ["json", 1, (key) => `[{"id":"${key}","text":"${large}"}]`],
    ["json", 1, (key) => `{"${key}":"${little}","b":"x"}`],
    ["csv", 2, (key) => `id,text\n${key},${little}\n`],
    ["tsv", 2, (key) => `id\ttext\n${key}\t${little}\n`],
  ];
  const keys = cases.map((_, i) => `k${i}`);
  const name = (i: number) => `${i}.${cases[i]![0]}`;
  const files = Object.fromEntries(cases.map(([, , content], i) => [name(i), content(keys[i]!)]));
  const { broken, found } = await takeAll(files, keys);
  assertEquals(
    broken.toSorted(),
    cases.map(([, line], i) => `${name(i)}:${line}: it is larger than 1000 bytes (maxEntryBytes)`),
  );
  assertEquals(found, []);
  assertEquals((await takeAll(files, keys, 10_000)).broken, []);
});

Deno.test("a named field that a record does not have makes it broken", async () => {
  await using folder = await Folder.make({ "f.jsonl": '{"isbn":1,"text":"x"}\n{"text":"y"}' });
  const observer = new Recorder();
  await using engine = await openSearch({ data: [folder.path], keyField: "isbn", observer });
  assertEquals(observer.broken, ['f.jsonl:2: it has no field "isbn"']);
  assertEquals((await engine.stats()).entries, 1);
});

Deno.test("of very many broken records the first 1000 are named and all are counted", async () => {
  await using folder = await Folder.make({ "f.jsonl": "no\n".repeat(3000) });
  const observer = new Recorder();
  await using _engine = await openSearch({ data: [folder.path], observer });
  assertEquals([observer.broken.length, observer.summaries[0]?.broken], [1000, 3000]);
});

Deno.test("JsonMembers gives the same members wherever the text is cut", () => {
  const value = fc.oneof(
    fc.array(fc.jsonValue({ depthSize: "small" }), { maxLength: 5 }),
    fc.dictionary(fc.string(), fc.jsonValue({ depthSize: "small" }), { maxKeys: 5 }),
  );
  fc.assert(fc.property(value, fc.nat(4), fc.array(fc.nat(50)), (value, spaces, cuts) => {
    const text = JSON.stringify(value, null, spaces);
    const members = new JsonMembers(10_000);
    const found = [];
    for (const piece of pieces(text, cuts)) found.push(...members.push(piece));
    found.push(...members.end());
    const joined = found.map((member) => "text" in member ? member.text : "?").join(",");
    const [open, close] = Array.isArray(value) ? "[]" : "{}";
    assertEquals(JSON.stringify(JSON.parse(`${open}${joined}${close}`)), JSON.stringify(value));
  }));
});

Deno.test("CsvRecords reads back what was written, wherever the text is cut", async () => {
  const field = fc.string({ unit: fc.constantFrom("a", '"', ",", "\n", "é", " ") });
  const row = fc.array(field, { minLength: 2, maxLength: 4 });
  const property = fc.asyncProperty(fc.array(row), fc.array(fc.nat(20)), async (rows, cuts) => {
    const quoted = (value: string) => `"${value.replaceAll('"', '""')}"`;
    const text = rows.map((row) => `${row.map(quoted).join(",")}\r\n`).join("");
    const splitter = new CsvRecords(",", 1000);
    const records = [];
    for await (const lines of readLines(stream(pieces(text, cuts)), 1000)) {
      for (const line of lines) records.push(...splitter.push(line));
    }
    records.push(...splitter.end());
    assertEquals(records.map((record) => "values" in record ? record.values : record), rows);
  });
  await fc.assert(property);
});

Deno.test("readLines() counts lines and bounds them, wherever the text is cut", async () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", "\n", "\r\n") });
  await fc.assert(fc.asyncProperty(text, fc.array(fc.nat(5)), async (text, cuts) => {
    const lines = [];
    for await (const some of readLines(stream(pieces(text, cuts)), 3)) lines.push(...some);
    const expected = text.split("\n").map((line, i) => ({
      number: i + 1,
      text: line.slice(0, 4).replace(/\r$/, ""),
      tooLong: line.length > 3,
    }));
    if (text === "" || text.endsWith("\n")) expected.pop();
    assertEquals(lines, expected);
  }));
});

function pieces(text: string, cuts: readonly number[]): string[] {
  const result: string[] = [];
  let start = 0;
  for (const cut of cuts) {
    result.push(text.slice(start, start + cut));
    start += cut;
  }
  return [...result, text.slice(start)];
}

async function* stream<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
