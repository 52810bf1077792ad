/** Says which control groups this process is in. */
const GROUPS_FILE = "/proc/self/cgroup";

/** Where Linux says what a group of processes may take: version 2 and version 1. */
const LIMIT_FILE_2 = "/sys/fs/cgroup/memory.max";
const LIMIT_FILE_1 = "/sys/fs/cgroup/memory/memory.limit_in_bytes";

/**
 * How much memory this process may take, in bytes: that of the machine or, if that is less, of its
 * control group, as in a container. `undefined` where the runtime's permissions do not let it know;
 * nobody is asked for any.
 */
export function machineMemoryBytes(): number | undefined {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
  if (state !== "granted") return undefined;
  const { total } = Deno.systemMemoryInfo();
  return Math.min(total, groupLimit());
}

/** The limit in bytes of this process' control group; `Infinity` if there is none. */
function groupLimit(): number {
  if (Deno.build.os !== "linux") return Infinity;
  return Math.min(...limitFiles().map((path) => Number(textOf(path)) || Infinity));
}

/**
 * Where the limit may be. Without one there is the word max in the file, or a number larger than any
 * memory. Not both files are looked for: the first error of a missing one takes 0.3 ms of each start.
 */
function limitFiles(): readonly string[] {
  const groups = textOf(GROUPS_FILE);
  if (groups === "") return [LIMIT_FILE_2, LIMIT_FILE_1];
  return [/^\d+:[^:]*\bmemory\b/m.test(groups) ? LIMIT_FILE_1 : LIMIT_FILE_2];
}

/** What is in a file; nothing where it is missing, or may not be read. */
function textOf(path: string): string {
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return "";
  try {
    return Deno.readTextFileSync(path);
  } catch {
    return "";
  }
}
