/** What servers hand to browsers is what the sources say, is small, and has no code in its pages. */
import { assert, assertEquals } from "@std/assert";
import { gzipSync } from "node:zlib";
import { makePages, SERVED } from "../../scripts/pages.ts";
import { ROOT } from "../support/programs.ts";

const read = (name: string) => Deno.readTextFile(`${ROOT}${SERVED}/${name}`);

const packed = async (...names: readonly string[]) => {
  const texts = await Promise.all(names.map(read));
  return texts.reduce((sum, text) => sum + gzipSync(text, { level: 9 }).length, 0);
};

Deno.test("the served files are made of the sources as they are: deno task pages", async () => {
  const made = await makePages();
  const names = [...Deno.readDirSync(`${ROOT}${SERVED}`)].map(({ name }) => name);
  assertEquals(names.toSorted(), Object.keys(made).toSorted());
  for (const [name, text] of Object.entries(made)) {
    assert(await read(name) === text, `${name} is stale: run deno task pages`);
  }
});

Deno.test("the client is below 40 KB, the search page below 10 KB and the live page below 40 KB", async () => {
  const client = await packed("client.js");
  assert(client < 40_000, `client.js has ${client} bytes`);
  const search = await packed("search.html", "search.css", "search.js");
  assert(search < 10_000, `the search page has ${search} bytes`);
  const live = await packed("live.html", "live.css", "live.js");
  assert(live < 40_000, `the live page has ${live} bytes`);
});

Deno.test("pages have no code or style in them, and load nothing from elsewhere", async () => {
  for (const name of ["search.html", "live.html"]) {
    const html = await read(name);
    assertEquals(html.match(/<script(?![^>]*\ssrc="\/)[^>]*>/g), null, name);
    assertEquals(html.match(/<style|\sstyle=|\son\w+=|javascript:/gi), null, name);
    assertEquals(html.match(/\s(src|href|action)="(?!\/|#|data:image\/svg)[^"]*"/g), null, name);
  }
});
