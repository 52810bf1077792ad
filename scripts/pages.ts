/**
 * Makes the files that servers hand to browsers from the sources in `pages/`: `deno task pages`. They
 * are checked in, because a program that is packed, or that comes from JSR, cannot bundle them. A test
 * makes them anew and compares.
 *
 * @module
 */
import { ROOT } from "./pack/paths.ts";
import { bundleForBrowsers } from "./pack/bundle.ts";
import { runScript, say } from "./pack/script.ts";

/** Where they are, in the checkout. */
export const SERVED = "cmd/_web/served";

/** The served file, and the source that it is made of. */
export const PAGES: Readonly<Record<string, string>> = {
  "client.js": "client.ts",
  "search.html": "search/page.html",
  "search.css": "search/page.css",
  "search.js": "search/main.ts",
  "live.html": "live/page.html",
  "live.css": "live/page.css",
  "live.js": "live/main.ts",
};

/** Makes the files. @returns their texts by their names. */
export async function makePages(): Promise<Record<string, string>> {
  const folder = await Deno.makeTempDir({ prefix: "socktool-pages-" });
  try {
    const make = async ([name, source]: [string, string]): Promise<[string, string]> => {
      const path = `pages/${source}`;
      // Pages are read by people who look at their source.
      if (name.endsWith(".html")) return [name, await Deno.readTextFile(`${ROOT}/${path}`)];
      const output = `${folder}/${name}`;
      await bundleForBrowsers(path, output, ["/client.js"]);
      return [name, await Deno.readTextFile(output)];
    };
    const { scripts = [], others = [] } = Object.groupBy(
      Object.entries(PAGES),
      ([name]) => name.endsWith(".js") ? "scripts" : "others",
    );
    // Scripts first: what they import is downloaded, and style sheets of packages come with it.
    const made = await Promise.all(scripts.map(make));
    return Object.fromEntries([...made, ...await Promise.all(others.map(make))]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  await runScript({
    task: "pages",
    about: "Makes what servers hand to browsers from the sources in pages/.",
    flags: {},
    async run() {
      await Deno.mkdir(`${ROOT}/${SERVED}`, { recursive: true });
      for (const [name, text] of Object.entries(await makePages())) {
        await Deno.writeTextFile(`${ROOT}/${SERVED}/${name}`, text);
        say(`${SERVED}/${name}  ${text.length}`);
      }
    },
  });
}
