import { basename, dirname, join } from "node:path";
import { openFile } from "./open_file.ts";
import { commonTail, oneLine } from "./titles.ts";

/** Pages that are looked at to see what the titles of a folder have in common. */
const SAMPLE = 8;
/** Folders whose titles are remembered. */
const REMEMBERED = 1000;
const HTML = /\.x?html?$/i;
const TITLE = /<title\b[^<>]*>([^<]*)<\/title/i;

/**
 * Knows what the titles of the pages around a page end with: where a page does not say what its site
 * is called, the pages beside it show it.
 */
export class SiteTitles {
  readonly #tails = new Map<string, Promise<string | undefined>>();

  /** What most titles around a page end with. @param real Where the page is. */
  around(real: string, follow: boolean): Promise<string | undefined> {
    const folder = dirname(real);
    let tail = this.#tails.get(folder);
    if (tail === undefined) {
      if (this.#tails.size >= REMEMBERED) this.#tails.clear();
      this.#tails.set(folder, tail = tailOf(folder, basename(real), follow));
    }
    return tail;
  }
}

async function tailOf(folder: string, name: string, follow: boolean): Promise<string | undefined> {
  const pages = await pagesIn(folder);
  // Many sites have a folder for each page.
  if (pages.length < 3) pages.push(...await pagesBeside(folder, name));
  const titles: string[] = [];
  for (const page of pages.slice(0, SAMPLE)) {
    const title = await titleOf(page, follow);
    if (title !== undefined) titles.push(title);
  }
  return commonTail(titles);
}

async function pagesIn(folder: string): Promise<string[]> {
  const names = await namesIn(folder, (entry) => entry.isFile && HTML.test(entry.name));
  return names.sort().slice(0, SAMPLE).map((name) => join(folder, name));
}

async function pagesBeside(folder: string, name: string): Promise<string[]> {
  const around = dirname(folder);
  const names = await namesIn(around, (entry) => entry.isDirectory);
  return names.filter((each) => each !== basename(folder)).sort().slice(0, SAMPLE)
    .map((each) => join(around, each, name));
}

async function namesIn(folder: string, is: (entry: Deno.DirEntry) => boolean): Promise<string[]> {
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(folder)) if (is(entry)) names.push(entry.name);
  } catch {
    // What cannot be read shows nothing.
  }
  return names;
}

async function titleOf(real: string, follow: boolean): Promise<string | undefined> {
  try {
    await using file = await openFile({ real }, follow);
    for await (const chunk of file.chunks()) {
      const title = TITLE.exec(new TextDecoder().decode(chunk))?.[1];
      return title === undefined ? undefined : oneLine(title);
    }
  } catch {
    // The page itself is read at its own time.
  }
  return undefined;
}
