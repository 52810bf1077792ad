/** How many files a program has open besides its connections: standard streams, the runtime's. */
const RESERVED_FILES = 32;

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
 * @param limit @default {openFileLimit()}
 * @returns what to tell the user, or `undefined` if they can.
 */
export async function checkOpenFiles(
  needed: number,
  limit?: number,
): Promise<string | undefined> {
  const allowed = limit ?? await openFileLimit();
  const least = needed + RESERVED_FILES;
  if (allowed === undefined || allowed >= least) return undefined;
  return `${needed} connections need ${least} open files, but the limit is ${allowed} ` +
    `(raise it in this shell first: ulimit -n ${least})`;
}

/** What the shell's `ulimit -n` printed. */
export function parseLimit(text: string): number | undefined {
  if (text === "unlimited") return Infinity;
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
