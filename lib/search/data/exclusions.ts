/**
 * Which files and folders of the data are left out by patterns, as in a `.gitignore`.
 *
 * @module
 */
import { openFile } from "./open_file.ts";

/** The file with patterns for its folder, and the folders in it. */
export const IGNORE_FILE = ".socktoolignore";
/** Of a larger file only this much is read. */
const MAX_FILE_BYTES = 1024 * 1024;

interface Matcher {
  test(path: string): { readonly ignored: boolean; readonly unignored: boolean };
}

/** The patterns that hold in one folder. */
export class Exclusions {
  readonly #matcher: Matcher | undefined;
  /** Where the matcher's folder is, relative to the data path; ends with `/`, or is empty. */
  readonly #prefix: string;
  readonly #above: Exclusions | undefined;
  /** The caller's patterns, which count before those of files. */
  readonly #first: Matcher | undefined;

  private constructor(
    matcher: Matcher | undefined,
    prefix: string,
    above: Exclusions | undefined,
    first: Matcher | undefined,
  ) {
    this.#matcher = matcher;
    this.#prefix = prefix;
    this.#above = above;
    this.#first = first;
  }

  /** The patterns that hold everywhere in a data path. */
  static async of(patterns: readonly string[]): Promise<Exclusions> {
    const first = patterns.length === 0 ? undefined : await matcherOf(patterns.join("\n"));
    return new Exclusions(undefined, "", undefined, first);
  }

  /**
   * These patterns, and those of the ignore file in a folder.
   *
   * @param real Where the folder is. @param prefix Its path within the data path, with `/` at the end.
   */
  async within(real: string, prefix: string, follow: boolean): Promise<Exclusions> {
    const text = await readPatterns(`${real}/${IGNORE_FILE}`, follow);
    if (text === undefined) return this;
    return new Exclusions(await matcherOf(text), prefix, this, this.#first);
  }

  /** Whether a file or folder is left out. @param path Relative to the data path. */
  excludes(path: string, isFolder: boolean): boolean {
    const end = isFolder ? "/" : "";
    const first = this.#first?.test(path + end);
    if (first?.ignored || first?.unignored) return first.ignored;
    return this.#within(path, end);
  }

  /** A folder's own patterns count before those of the folders around it. */
  #within(path: string, end: string): boolean {
    const found = this.#matcher?.test(path.slice(this.#prefix.length) + end);
    if (found?.ignored || found?.unignored) return found.ignored;
    return this.#above === undefined ? false : this.#above.#within(path, end);
  }
}

/** The package is loaded with the first pattern. */
async function matcherOf(patterns: string): Promise<Matcher> {
  const { default: ignore } = await import("ignore");
  return ignore({ ignorecase: false, allowRelativePaths: true }).add(patterns);
}

async function readPatterns(real: string, follow: boolean): Promise<string | undefined> {
  try {
    await using file = await openFile({ real }, follow);
    const decoder = new TextDecoder();
    let text = "";
    for await (const chunk of file.chunks()) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_FILE_BYTES) break;
    }
    return text;
  } catch {
    // A file that cannot be read leaves nothing out: users notice what is too much, but not what is
    // missing.
    return undefined;
  }
}
