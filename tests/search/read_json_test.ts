import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { JsonOutline } from "../../lib/search/data/json_outline.ts";
import { parseJson } from "../../lib/search/data/parse_json.ts";
import { readItems } from "./read_items.ts";

const json = (value: unknown, settings = {}) =>
  readItems("f.json", typeof value === "string" ? value : JSON.stringify(value), settings);

Deno.test("JSON: an object is a dictionary only where all its values are texts", async () => {
  assertEquals((await json({ apple: "a fruit", "__proto__": "x", pear: "another" })).entries, [
    "apple | apple | a fruit",
    "pear | pear | another",
  ]);
  const one = { name: "p", version: "1.0.0", description: "a package", scripts: { test: "deno" } };
  assertEquals((await json(one)).entries, [
    " | p | a package\n\nversion: 1.0.0\nscripts.test: deno",
  ]);
  assertEquals((await json({ id: "x7", title: "T", text: "t" })).entries, ["x7 | T | t"]);
  assertEquals((await json({ a: "text", n: 5 })).entries, [" | f.json | a: text\nn: 5"]);
  assertEquals((await json({ a: { title: "A", text: "x" }, n: 5 }, { entries: true })).entries, [
    "a | A | x",
    "n | n | 5",
  ]);
});

Deno.test("JSON: records inside an object are found", async () => {
  const records = [{ id: 1, text: "a" }, { id: 2, text: "b" }];
  const entries = ["1 | 1 | a", "2 | 2 | b"];
  const wrapped: [unknown, string][] = [
    [{ status: "ok", count: 2, results: records }, "results"],
    [{ data: { page: 1, items: records } }, "data.items"],
    [{ meta: [1], hits: { total: 2, hits: records } }, "hits.hits"],
    [{ of: "something", animals: records }, "animals"],
  ];
  for (const [value, path] of wrapped) {
    const read = await json(value);
    assertEquals(read.entries, entries);
    assertEquals(read.told, [`its records were taken from "${path}" (records)`]);
  }
  const two = { a: [{ id: 3, text: "c" }], b: records, results: [] };
  assertEquals((await json(two, { records: "b" })).entries, entries);
  assertEquals((await json(two, { records: "a" })).entries, ["3 | 3 | c"]);
  assertEquals(
    (await json(two, { records: "c" })).told[0],
    'it has no "c" that holds records (records)',
  );
  // A few objects in a record do not make it a list of them.
  const one = { name: "p", contributors: [{ name: "a" }], text: "x".repeat(100) };
  assertEquals((await json(one)).entries.length, 1);
});

Deno.test("JSON: lines are those of the whole file where records are inside of it", async () => {
  const text =
    '{"status": "ok",\n "results": [\n  {"text": "a"},\n  {"text": bad},\n  {"text": "c"}\n ]\n}';
  const { entries, told } = await json(text);
  assertEquals(entries, [":3 | f.json:3 | a", ":5 | f.json:5 | c"]);
  assertEquals(told[1]?.slice(0, 23), "4: broken: it is not JS");
});

Deno.test("JSON: an array of texts, on one line or several", async () => {
  assertEquals((await json('["one", "two",\n"three"]')).entries, [
    ":1 | one | one",
    ":1.2 | two | two",
    ":2 | three | three",
  ]);
  assertEquals((await json(["a", 5, null])).told, [
    "1: broken: it is neither an object nor a text",
    "1: broken: it is neither an object nor a text",
  ]);
  assertEquals((await readItems("f.jsonl", '"one"\n"two"\n')).entries, [
    ":1 | one | one",
    ":2 | two | two",
  ]);
});

Deno.test("a field is a key only where it is different in all records of a file", async () => {
  const rows = (...fields: object[]) =>
    readItems("f.jsonl", fields.map((row) => JSON.stringify(row)).join("\n"));
  const keys = async (...fields: object[]) =>
    (await rows(...fields)).entries.map((entry) => entry.split(" | ")[0]);
  assertEquals(await keys({ name: "John" }, { name: "Jo" }), ["John", "Jo"]);
  assertEquals(await keys({ name: "John" }, { name: "Jo" }, { name: "John" }), [":1", ":2", ":3"]);
  // The next name that is one takes its place.
  assertEquals(await keys({ id: 1, slug: "a", text: "x" }, { id: 1, slug: "b", text: "x" }), [
    "a",
    "b",
  ]);
  // Where a record has none, its line is the key.
  assertEquals(await keys({ id: 1, text: "x" }, { text: "y" }), ["1", ":2"]);
  const same = '{"name":"n","text":"x"}\n';
  assertEquals(
    (await readItems("f.jsonl", same.repeat(2), { keyField: "name" })).entries.length,
    2,
  );
  assertEquals((await readItems("f.jsonl", '{"id":1,"text":"x"}\n', { keyField: false })).entries, [
    ":1 | f.jsonl:1 | x",
  ]);
});

Deno.test("numbers in keys keep their digits", async () => {
  const numbers = ["1234567890123456789", "1234567890123456788", "1.10", "1.1", "1e3", "-0", "12"];
  const text = numbers.map((number) => `{"id":${number},"text":"x"}`).join("\n");
  const { entries } = await readItems("f.jsonl", text);
  assertEquals(entries.map((entry) => entry.split(" | ")[0]), numbers);
  const double = fc.double({ noNaN: true, noDefaultInfinity: true });
  fc.assert(fc.property(fc.array(double, { minLength: 1 }), fc.nat(3), (values, zeros) => {
    const digits = values.map((value) =>
      JSON.stringify(value) +
      (Number.isInteger(value) && Math.abs(value) < 1e15 ? `.${"0".repeat(zeros + 1)}` : "")
    );
    assertEquals((parseJson(`[${digits}]`) as unknown[]).map(String), digits);
  }));
});

Deno.test("all fields that hold text are searched, or those that are named", async () => {
  const row = JSON.stringify({
    id: "a",
    title: "T",
    text: "main",
    tags: ["red", "blue"],
    author: { name: "Ann", born: 1970 },
    size: 3,
  });
  assertEquals((await readItems("f.jsonl", row)).entries, [
    "a | T | main\n\ntags: red, blue\nauthor.name: Ann\nauthor.born: 1970",
  ]);
  assertEquals((await readItems("f.jsonl", row, { textFields: ["tags", "text"] })).entries, [
    "a | T | red\nblue\nmain",
  ]);
  assertEquals((await readItems("f.jsonl", row, { textFields: ["none"] })).told, [
    '1: broken: it has no field "none"',
  ]);
});

Deno.test("JSON that is broken or too large for one record is read as text", async () => {
  const { entries, told } = await json('{"compilerOptions": {}, // a comment\n}');
  assertEquals(entries, [':1 | f.json (from line 1) | {"compilerOptions": {}, // a comment\n}']);
  assertEquals(told.length, 2);
  const large = await json({ name: "p", n: 1, text: "word ".repeat(3000) });
  assertEquals(large.entries.length > 1, true);
  assertEquals(
    large.entries.map((entry) => entry.match(/word/g)?.length ?? 0).reduce((a, b) => a + b),
    3000,
  );
});

Deno.test("JsonOutline finds the same parts wherever the text is cut", () => {
  const value = fc.dictionary(fc.string(), fc.jsonValue({ depthSize: "small" }), { maxKeys: 4 });
  fc.assert(fc.property(value, fc.nat(2), fc.nat(30), (value, spaces, cut) => {
    const text = JSON.stringify(value, null, spaces);
    const [whole, parts] = [new JsonOutline(), new JsonOutline()];
    whole.push(text);
    for (let i = 0; i < text.length; i += cut + 1) parts.push(text.slice(i, i + cut + 1));
    whole.end();
    parts.end();
    assertEquals(parts, whole);
    for (const { start, length, isArray, texts, members } of whole.parts) {
      const part = JSON.parse(text.slice(start, start + length));
      assertEquals(Array.isArray(part), isArray);
      if (!isArray) assertEquals(members, Object.keys(part).length);
      assertEquals(texts, Object.values(part).filter((each) => typeof each === "string").length);
    }
  }));
});
