/** How often the paths are looked at. */
const INTERVAL_MS = 250;

/**
 * Notices that something else is at a path than before: it was deleted, made again, moved, or a link
 * on the way leads elsewhere.
 */
export class PathPoll {
  readonly #paths: readonly string[];
  readonly #onChange: () => void;
  #known: readonly (string | undefined)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  /** @param onChange Is called after a change; {@linkcode PathPoll.look} begins to look. */
  constructor(paths: readonly string[], onChange: () => void) {
    this.#paths = paths;
    this.#onChange = onChange;
  }

  /** Remembers what is there now, and looks for changes from now on. */
  async look(): Promise<void> {
    this.#known = await this.#identities();
    this.#schedule();
  }

  /** Ends looking. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#compare(), INTERVAL_MS);
  }

  async #compare(): Promise<void> {
    const before = this.#known;
    const now = await this.#identities();
    if (this.#isClosed) return;
    // Another look may have begun meanwhile.
    if (this.#known === before && now.some((identity, i) => identity !== before[i])) {
      this.#known = now;
      this.#onChange();
    }
    this.#schedule();
  }

  #identities(): Promise<(string | undefined)[]> {
    return Promise.all(this.#paths.map(identityOf));
  }
}

async function identityOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, birthtime, isFile } = await Deno.stat(path);
    // A file may be replaced at any time by a new one, which its folder's watcher tells. A new
    // folder may get the inode number of a deleted one at once, but the time at which it was made
    // differs.
    return isFile ? "file" : `${dev}:${ino}:${birthtime?.getTime()}:${await Deno.realPath(path)}`;
  } catch {
    return undefined;
  }
}
