/** Where Linux says what a group of processes may take: version 2 and version 1. */
const CGROUP_FILES = [
  "/sys/fs/cgroup/memory.max",
  "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/**
 * How much memory this process may take, in bytes: that of the machine or, if that is less, of its
 * control group, as in a container. `undefined` where the runtime's permissions do not let it know;
 * nobody is asked for any.
 */
export function machineMemoryBytes(): number | undefined {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "systemMemoryInfo" });
  if (state !== "granted") return undefined;
  const { total } = Deno.systemMemoryInfo();
  return Math.min(total, ...CGROUP_FILES.map(limitIn));
}

/** The limit in bytes that a file names; `Infinity` if there is no such file, or no limit in it. */
function limitIn(path: string): number {
  if (Deno.build.os !== "linux") return Infinity;
  if (Deno.permissions.querySync({ name: "read", path }).state !== "granted") return Infinity;
  try {
    // Without a limit it is the word max, or a number larger than any memory.
    return Number(Deno.readTextFileSync(path)) || Infinity;
  } catch {
    return Infinity;
  }
}
