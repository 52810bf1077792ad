import { assertEquals } from "@std/assert";
import type { Context } from "../../../cmd/_cli/mod.ts";
import { createStyle } from "../../../cmd/_cli/terminal_text.ts";
import { printAnswer } from "../../../cmd/_search/answer_lines.ts";

/** What is printed of an answer, with what is said beside it. */
async function printed(json: object, isTerminal: boolean, limit?: number): Promise<string[]> {
  const lines: string[] = [];
  // As the real one, it writes after the turn in which it was given a line.
  const waiting: string[] = [];
  const context = {
    out: {
      isTerminal,
      safe: (text: string) => text,
      line: (text: string) => void waiting.push(...text.split("\n")),
      flush: () => Promise.resolve(void lines.push(...waiting.splice(0))),
    },
    log: { info: (text: string) => void lines.push(`(${text})`) },
    outStyle: {
      ...createStyle(false),
      bold: (text: string) => `*${text}*`,
      dim: (text: string) => `~${text}`,
    },
  } as unknown as Context;
  await printAnswer(json as Record<string, unknown>, context, { limit });
  return [...lines, ...waiting];
}

const HITS = {
  result: "a passage",
  exact: false,
  hits: [
    {
      key: "a.md",
      title: "On tea",
      score: 2.345,
      snippet: "boil tea",
      highlights: { title: [[3, 6]], snippet: [[5, 8]] },
    },
    { key: "b", title: "b", score: 1, snippet: "", highlights: { title: [], snippet: [] } },
  ],
  total: 7,
};

Deno.test("on a terminal hits are a list of title, key and passage", async () => {
  assertEquals(await printed(HITS, true), [
    "1.  On *tea*",
    "    ~a.md",
    "    boil *tea*",
    "2.  b",
    "(2 of 7 matches)",
  ]);
  // An entry whose key was asked for is shown itself.
  assertEquals(await printed({ ...HITS, exact: true }, true), ["a passage"]);
});

Deno.test("elsewhere the best passage is printed, or with --limit a line for each hit", async () => {
  assertEquals(await printed(HITS, false), ["a passage"]);
  assertEquals((await printed(HITS, false, 2))[1], "1.00\tb\t");
});

Deno.test("suggestions and figures are printed a line each", async () => {
  const suggestions = [{ key: "a", title: "a" }, { key: "b", title: "Bee" }];
  assertEquals(await printed({ result: ["a", "b"], suggestions }, false), ["a", "b\tBee"]);
  assertEquals(await printed({ result: "3 entries", stats: { entries: 3, writes: 0 } }, false), [
    "entries: 3",
    "writes: 0",
  ]);
  assertEquals(await printed({ result: "Deleted 'a'." }, true), ["Deleted 'a'."]);
});

Deno.test("an answer is shown whatever its values are", async () => {
  const odd = { toString: 1 };
  const hits = [null, 5, { key: odd, title: odd, snippet: odd, score: odd, highlights: odd }];
  const answers: [object, string[]][] = [
    [{ hits, relaxed: [odd] }, [
      '(nothing has all words; left out: {"toString":1})',
      "\t\t",
      "\t\t",
      '\t{"toString":1}\t{"toString":1}',
    ]],
    [{ suggestions: [null, { key: odd, title: "t" }] }, ["", '{"toString":1}\tt']],
    [{ stats: { a: odd, b: null } }, ['a: {"toString":1}', "b: null"]],
    [{ result: odd }, ['{"toString":1}']],
  ];
  for (const [answer, lines] of answers) assertEquals(await printed(answer, false, 3), lines);
});
