/** The picture in the README shows what the script that makes it runs. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { SESSION } from "../../scripts/recording/session.ts";
import { svgOf } from "../../scripts/recording/svg.ts";
import { ROOT } from "../support/programs.ts";

const escaped = (text: string) => text.replaceAll("&", "&#38;").replaceAll(">", "&#62;");

Deno.test("the recorded session has each command, and a picture loads nothing", () => {
  const svg = Deno.readTextFileSync(`${ROOT}docs/pictures/session.svg`);
  const typed = [...svg.matchAll(/<tspan class="p">\$ <\/tspan><tspan class="b">([^<]*)</g)];
  assertEquals(typed.map(([, command]) => command), SESSION.map(({ command }) => escaped(command)));
  assertEquals([...svg.matchAll(/(?:href|src|url)\s*[=(]/g)].length, 0);
  assertStringIncludes(Deno.readTextFileSync(`${ROOT}README.md`), "(docs/pictures/session.svg)");
});

Deno.test("svgOf() breaks lines, keeps styles, and shows what overwrote a line", () => {
  const lines = [
    { text: "a <b", atMs: 0, isCommand: true },
    { text: "\x1b[1mbold\x1b[22m and \x1b[31mred\x1b[39m", atMs: 5 },
    { text: "old\r\x1b[2Knew", atMs: 7 },
  ];
  const texts = [...svgOf(lines, 8).matchAll(/delay:\s?(\d+)ms[^>]*>(.*)<\/text>/g)]
    .map(([, at, text]) => [Number(at), text]);
  assertEquals(texts, [
    [0, '<tspan class="p">$ </tspan><tspan class="b">a &#60;b</tspan>'],
    [5, '<tspan class="b">bold</tspan> and'],
    [5, ' <tspan class="r">red</tspan>'],
    [7, "new"],
  ]);
});
