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

/** With fewer TLS handshakes under way, some clients of a small server would be in each other's way. */
const LEAST_HANDSHAKES = 16;

/** Looked up once: it does not change, and later there may be no file left to find out. */
let known: Promise<number | undefined> | undefined;

/**
 * How many files, sockets included, this process may have open at once; `undefined` where that is
 * unknown.
 */
export function openFileLimit(): Promise<number | undefined> {
  return known ??= findLimit();
}

/**
 * How many TLS handshakes may be under way at a server, where its settings do not say it: no more than
 * connections afterwards, and half of the files that may be open. The others are for those who are
 * connected, and for files.
 *
 * @param most What it is otherwise.
 * @param limit How many files may be open.
 */
export function handshakesWithin(
  most: number,
  maxConnections: number,
  limit: number | undefined,
): number {
  const files = Math.floor(((limit ?? Infinity) - RESERVED_FILES) / 2);
  return Math.max(LEAST_HANDSHAKES, Math.min(most, maxConnections || Infinity, files));
}

async function findLimit(): Promise<number | undefined> {
  if (Deno.build.os === "windows") return undefined;
  try {
    // The shell inherits this process's limit. Packed programs may not read it in /proc, and run no
    // other program.
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
