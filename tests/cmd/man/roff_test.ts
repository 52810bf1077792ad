import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { bold, fallbacksFor, macro, prose, roff } from "../../../cmd/_cli/man/roff.ts";
import { isInstalled, runTool } from "../../support/tools.ts";

const hasGroff = isInstalled("groff", "the man page by groff");

Deno.test("roff() escapes what means something to troff", () => {
  assertEquals(roff("--data -d"), "\\-\\-data \\-d");
  assertEquals(roff(".so x"), "\\&.so x");
  assertEquals(roff("'white rab*'"), "\\(aqwhite rab*\\(aq");
  assertEquals(roff('a\\b "c" `d`'), "a\\eb \\(dqc\\(dq \\(gad\\(ga");
  assertEquals(roff("A… 😃"), "A\\[u2026] \\[u1F603]");
});

Deno.test("prose() keeps a wrapped line from being a request", () => {
  const text = `${"word ".repeat(14)}.TH and 'quoted' more`;
  assert(prose(text).length > 1);
  assert(prose(text).every((line) => !/^[.']/.test(line)));
});

Deno.test("fallbacksFor() names each character of the page once", () => {
  assertEquals(fallbacksFor([roff("a… b…"), roff("µ")]), [
    ".if \\n(.g .fchar \\[u00B5] u",
    ".if \\n(.g .fchar \\[u2026] \\&...",
  ]);
});

Deno.test("whatever the texts, groff prints them as they are, without a warning", async () => {
  if (!hasGroff) return;
  const word = fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 20 })
    .map((text) => text.replace(/\s+/g, "") || "x");
  const texts = fc.sample(fc.array(word, { minLength: 1, maxLength: 4 }), { numRuns: 300, seed: 7 })
    .map((words) => words.join(" "));
  const page = [
    macro("TH", "X", "1"),
    ".ad l",
    ".nh",
    ".ll 1000n",
    ...texts.flatMap((text) => [macro("PP"), roff(text), macro("br"), bold(text)]),
  ];
  const { out, err } = await runTool("groff", ["-man", "-ww", "-Tascii", "-P-cbou", "-rHY=0"], {
    stdin: `${page.join("\n")}\n`,
  });
  assertEquals(err, "");
  const lines = out.split("\n").map((line) => line.trim()).filter(Boolean).slice(1, -1);
  // A sentence's end may be followed by two blanks.
  const printed = lines.map((line) => line.replace(/\s+/g, " "));
  assertEquals(printed, texts.flatMap((text) => [text, text]));
});
