/**
 * Which of the data paths are there, at each pass.
 *
 * @module
 */
import { type DataRoot, findRoot, isEmptyFolder, isMissing } from "../data/data_root.ts";
import type { DataPathEvent } from "../observer.ts";

/** What a {@linkcode DataPaths} is made with. */
export interface DataPathsOptions {
  /** Absolute paths. */
  readonly data: readonly string[];
  /** Whether a data path that is not there is waited for. */
  readonly watch: boolean;
  /** Whether entries go whose data path is empty at the start. */
  readonly prune: boolean;
}

/**
 * - `here`: something was in it since the start. When it is gone, its entries go.
 * - `awaited`: it is missing, or empty, since the start, as a mount that is not there yet. The entries
 *   that the index has of it stay.
 * - `gone`: it was there, and is not any more.
 */
type State = "here" | "awaited" | "gone";

/** Looks for the data paths, and tells of those that are missing, empty, gone, or back. */
export class DataPaths {
  readonly #options: DataPathsOptions;
  readonly #report: { dataPath(event: DataPathEvent): void };
  readonly #hasFiles: (path: string) => boolean;
  readonly #states = new Map<string, State>();

  /** @param hasFiles Whether the index has files of a data path. */
  constructor(
    options: DataPathsOptions,
    report: { dataPath(event: DataPathEvent): void },
    hasFiles: (path: string) => boolean,
  ) {
    this.#options = options;
    this.#report = report;
    this.#hasFiles = hasFiles;
  }

  /**
   * Finds the data paths: each with where it is, or with `undefined` if its entries stay without
   * being looked for. One that is gone is not among them.
   *
   * @throws {SearchError} `data-unreadable` if one cannot be read, or is missing and not waited for.
   */
  async find(): Promise<[path: string, root: DataRoot | undefined][]> {
    const { data, watch } = this.#options;
    const found: [string, DataRoot | Error][] = [];
    for (const path of data) {
      try {
        found.push([path, await findRoot(path)]);
      } catch (error) {
        if (!watch || !isMissing(error)) throw error;
        found.push([path, error as Error]);
      }
    }
    // If none of them was ever there, the paths are probably mistyped.
    const isHopeless = found.length > 0 && this.#states.size === 0 &&
      found.every(([path, root]) => root instanceof Error && !this.#hasFiles(path));
    if (isHopeless) throw found[0]![1];
    const roots: [string, DataRoot | undefined][] = [];
    for (const [path, root] of found) {
      const state = root instanceof Error ? this.#missing(path) : await this.#present(path, root);
      this.#states.set(path, state);
      if (state !== "gone") roots.push([path, state === "here" ? root as DataRoot : undefined]);
    }
    return roots;
  }

  /** Whether something was in a data path when it was looked at last. */
  isHere(path: string): boolean {
    return this.#states.get(path) === "here";
  }

  #missing(path: string): State {
    const before = this.#states.get(path);
    if (before === undefined) {
      this.#report.dataPath({ path, state: "missing", isKept: this.#hasFiles(path) });
      return "awaited";
    }
    if (before === "here") this.#report.dataPath({ path, state: "gone", isKept: false });
    return before === "here" ? "gone" : before;
  }

  async #present(path: string, root: DataRoot): Promise<State> {
    const before = this.#states.get(path);
    const isAwaited = before !== "here" && before !== "gone" && !this.#options.prune &&
      this.#hasFiles(path) && await isEmptyFolder(root);
    if (isAwaited && before === undefined) {
      this.#report.dataPath({ path, state: "empty", isKept: true });
    }
    if (isAwaited) return "awaited";
    if (before === "gone" || before === "awaited") {
      this.#report.dataPath({ path, state: "back", isKept: false });
    }
    return "here";
  }
}
