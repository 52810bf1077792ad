/** How soon a browser shows the search page, beside how soon it shows anything. */
import { openBrowser, type TestPage } from "../../tests/support/browser.ts";
import { type Figures, median } from "./support.ts";

const ROUNDS = 15;

/** The least that a page can be: what is left is the browser's own time. */
const EMPTY = "<!doctype html><html lang=en><meta charset=utf-8><title>Empty</title><p>Empty</p>";

const PAINT = `performance.getEntriesByName("first-contentful-paint")[0]?.startTime`;

/** What came over the network for the page, with the heads of the replies. */
const BYTES = `performance.getEntriesByType("navigation")
  .concat(performance.getEntriesByType("resource"))
  .reduce((sum, { transferSize }) => sum + transferSize, 0)`;

/**
 * Measures a page and an empty one by turns: in a profile that has never seen it, and in one that shows
 * it again.
 */
export async function firstPaint(url: string): Promise<Figures> {
  await using browser = await openBrowser("the search page's first paint");
  if (!browser) return {};
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(EMPTY, { headers: { "content-type": "text/html" } }),
  );
  const pages = { search: url, empty: `http://127.0.0.1:${server.addr.port}/` };
  const first = { search: [] as number[], empty: [] as number[] };
  const again = { search: [] as number[], empty: [] as number[] };
  let bytes = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, page] of Object.entries(pages) as [keyof typeof pages, string][]) {
      const tab = await browser.open(page);
      first[name].push(await paintOf(tab));
      if (name === "search") bytes = await tab.value<number>(BYTES);
      await tab.goto(page);
      again[name].push(await paintOf(tab));
      await tab.close();
    }
  }
  return {
    "search page, first paint ms": median(first.search),
    "an empty page, first paint ms": median(first.empty),
    "first paint, ratio": median(first.search) / median(first.empty),
    "search page again, first paint ms": median(again.search),
    "an empty page again, first paint ms": median(again.empty),
    "search page, KB": bytes / 1_000,
  };
}

async function paintOf(tab: TestPage): Promise<number> {
  await tab.sees(PAINT);
  return await tab.value<number>(PAINT);
}
