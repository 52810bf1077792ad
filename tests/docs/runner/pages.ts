import { ROOT } from "../../support/programs.ts";

/** A page of the documentation. */
export interface PageFile {
  /** Relative to the checkout. */
  readonly path: string;
  readonly text: string;
}

/** The Markdown files of the checkout's root, and all in `docs/`. */
export const PAGES: readonly PageFile[] = [...pagesIn("", false), ...pagesIn("docs/", true)]
  .map((path) => ({ path, text: Deno.readTextFileSync(`${ROOT}${path}`) }));

function* pagesIn(folder: string, deep: boolean): Generator<string> {
  const entries = [...Deno.readDirSync(`${ROOT}${folder}`)].map((entry) => entry)
    .sort((a, b) => a.name < b.name ? -1 : 1);
  for (const { name, isDirectory } of entries) {
    if (isDirectory && deep) yield* pagesIn(`${folder}${name}/`, deep);
    else if (name.endsWith(".md")) yield folder + name;
  }
}
