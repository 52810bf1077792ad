/** How many files a program has open besides its connections: standard streams, the runtime's. */
const RESERVED_FILES = 32;

/** How many files each thread needs for itself: its event loop has some, and is woken by others. */
const THREAD_FILES = 8;

/** What {@linkcode checkOpenFiles} counts besides connections. */
export interface OpenFiles {
  /** Threads that the connections are spread over. @default {1} */
  readonly threads?: number;
  /** How many files may be open. @default {openFileLimit()} */
  readonly limit?: number | undefined;
}

/**
 * How many files, sockets included, this process may have open at once; `undefined` where that is
 * unknown.
 */
export async function openFileLimit(): Promise<number | undefined> {
  if (Deno.build.os === "windows") return undefined;
  try {
    // Reading /proc would need all permissions. The shell inherits this process's limit; /bin/sh is
    // the only program that a packed program may run.
    const { stdout } = await new Deno.Command("/bin/sh", { args: ["-c", "ulimit -n"] }).output();
    return parseLimit(new TextDecoder().decode(stdout).trim());
  } catch {
    return undefined;
  }
}

/**
 * Checks whether as many connections as asked for can be open at once.
 *
 * @param needed Sockets that will be open at the same time.
 * @returns what to tell the user, or `undefined` if they can.
 */
export async function checkOpenFiles(
  needed: number,
  { threads = 1, limit }: OpenFiles = {},
): Promise<string | undefined> {
  const allowed = limit ?? await openFileLimit();
  // A single one is the main thread, whose files are reserved already.
  const least = needed + RESERVED_FILES + (threads > 1 ? threads * THREAD_FILES : 0);
  if (allowed === undefined || allowed >= least) return undefined;
  const where = threads > 1 ? ` in ${threads} threads` : "";
  return `${needed} connections${where} need ${least} open files, but the limit is ${allowed} ` +
    `(raise it in this shell first: ulimit -n ${least})`;
}

/** What the shell's `ulimit -n` printed. */
export function parseLimit(text: string): number | undefined {
  if (text === "unlimited") return Infinity;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
