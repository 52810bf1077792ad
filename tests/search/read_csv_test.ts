import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { CsvRecords } from "../../lib/search/data/csv_records.ts";
import { readItems } from "./read_items.ts";

/** Reads CSV and returns its entries, and what was told. */
async function csv(content: string, settings = {}, name = "f.csv") {
  return await readItems(name, content, settings);
}

Deno.test("CSV: the separator is the one that splits the first records evenly", async () => {
  const files: Record<string, [content: string, name?: string]> = {
    comma: ["id,title,text\na,b,c; d\n"],
    "semicolons beside a comma in the header": ["id;title, long;text\na;b, x;c\ne;f;g\n"],
    "decimal commas": ["id;text\na;1,5\nb;2,5\n"],
    "a line that names it": ["sep=;\nid;text\na;b,c\n"],
    "a quoted line that names it": ['"sep=|"\r\nid|text\r\na|b;c\r\n'],
    pipe: ["id|text\na|b, c\nd|e; f\n"],
    "tab in a .csv": ["id\ttext\na\tb, c\nd\te; f\n"],
    "comma in a .tsv": ["id,text\na,b\nc,d\n", "f.tsv"],
    "tab in a .tsv": ["id\ttext, more\na\tb,c\n", "f.tsv"],
    "separators in quotation marks": ['id,text\na,"x;y;z"\nb,"1;2;3"\n'],
    "only one column": ["text\nof one, two\nof three\n"],
  };
  const read: Record<string, string[]> = {};
  for (const [what, [content, name]] of Object.entries(files)) {
    const { entries, told } = await csv(content, {}, name);
    assertEquals(told, [], what);
    read[what] = entries;
  }
  assertEquals(read, {
    comma: ["a | b | c; d"],
    "semicolons beside a comma in the header": [
      "a | a | c\n\ntitle, long: b, x",
      "e | e | g\n\ntitle, long: f",
    ],
    "decimal commas": ["a | a | 1,5", "b | b | 2,5"],
    "a line that names it": ["a | a | b,c"],
    "a quoted line that names it": ["a | a | b;c"],
    pipe: ["a | a | b, c", "d | d | e; f"],
    "tab in a .csv": ["a | a | b, c", "d | d | e; f"],
    "comma in a .tsv": ["a | a | b", "c | c | d"],
    "tab in a .tsv": ["a | a | text, more: b,c"],
    "separators in quotation marks": ["a | a | x;y;z", "b | b | 1;2;3"],
    "only one column": [":2 | f.csv:2 | of one, two", ":3 | f.csv:3 | of three"],
  });
  assertEquals((await csv("id;te,xt\na;b,c\n", { separator: "," })).entries, [
    ":2 | f.csv:2 | id;te: a;b\nxt: c",
  ]);
});

Deno.test("CSV: lines may end with CR alone, and line numbers count them", async () => {
  const { entries } = await csv('text,n\rone,1\r"two\rlines",2\rthree,3\r');
  assertEquals(entries.map((entry) => entry.split(" | ")[0]), [":2", ":3", ":5"]);
  assertEquals(entries[1], ":3 | f.csv:3 | two\nlines\n\nn: 2");
});

Deno.test("CSV: a stray quotation mark swallows no other record, and is told", async () => {
  const strays = [
    '1,"5 inch disk\n2,b\n3,c\n',
    '1,"5 inch disk\n2,"b\n3,c\n',
    '1,"5 inch disk\n2,"b" x\n3,"c"\n',
    '1,"5 inch disk\n2,b,"x"\n3,c\n',
    '1,a"b"c"\n2,"b"b\n3,c\n',
  ];
  for (const rows of strays) {
    const { entries, told } = await csv(`id,text\n${rows}4,last\n`);
    assertEquals(entries.map((entry) => entry[0]).join(""), "1234", rows);
    const isTold = told.some((text) => /quotation mark is not closed/.test(text));
    assertEquals(isTold, true, rows);
  }
  // A value of several lines that fits is one; where they look like records, that is told.
  const fitting = await csv('id,text\n1,"a\n2,b"\n3,"c\nd"\n');
  assertEquals(fitting.entries, ["1 | 1 | a\n2,b", "3 | 3 | c\nd"]);
  assertEquals(fitting.told, [
    "2: lines that look like records are inside quotation marks; they were taken as one value (separator)",
  ]);
  assertEquals((await csv('id,text\n1, "a, b"\n2,"c" ,\n')).entries, [
    "1 | 1 | a, b",
    "2 | 2 | c",
  ]);
});

Deno.test("CSV: records of another length are kept and told once", async () => {
  const { entries, told } = await csv("id,text,more\n1,a\n2,b,c,d\n3,e,f,,\n4\n5,g,h\n");
  assertEquals(entries, [
    "1 | 1 | a",
    "2 | 2 | b\n\nmore: c\ncolumn 4: d",
    "3 | 3 | e\n\nmore: f",
    "5 | 5 | g\n\nmore: h",
  ]);
  assertEquals(told, [
    "5: broken: it has neither text nor title",
    "2: it has fewer values than the header (as 1 more of its records) (separator)",
    "3: it has more values than the header (separator)",
  ]);
});

Deno.test("CSV: fields without a name, or with that of another, are kept", async () => {
  assertEquals((await csv("id,,a,a\n1,x,y,z\n")).entries, [
    "1 | 1 | column 2: x\na: y\na 4: z",
  ]);
});

Deno.test("CSV: whatever the quotation marks, every line is in a record", () => {
  const line = fc.string({ unit: fc.constantFrom("a", '"', ",", " "), minLength: 1, maxLength: 8 });
  fc.assert(fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
    const records = new CsvRecords(",", 1000);
    records.columns = 2;
    const found = [];
    for (const [i, text] of lines.entries()) {
      found.push(...records.push({ number: i + 1, text: `${i}${text}`, tooLong: false }));
    }
    found.push(...records.end());
    const text = found.flatMap((record) => "values" in record ? record.values : ["broken"]);
    for (const i of lines.keys()) assertEquals(text.join("\n").includes(`${i}`), true);
  }));
});
