import type { Program } from "../support/programs.ts";

/** Where the pages of a server are, as it said; with a slash at the end. */
export function pagesOf({ err }: Pick<Program, "err">): string {
  const [, url] = /^pages on (https?:\S+\/)$/m.exec(err) ?? [];
  if (url === undefined) throw new Error(`The server has no pages: ${err}`);
  return url;
}
