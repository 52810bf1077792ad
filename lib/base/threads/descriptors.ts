/**
 * How many descriptors must be free for a thread. It takes seven as it starts, while the one that starts
 * it waits; without them Deno ends the process.
 */
const START_DESCRIPTORS = 12;

/** Whether the process can open what a thread needs, as far as can be found out. */
export function hasDescriptors(): boolean {
  // Windows has no such limit.
  if (Deno.build.os === "windows") return true;
  const opened: Deno.FsFile[] = [];
  try {
    while (opened.length < START_DESCRIPTORS) opened.push(Deno.openSync("/dev/null"));
    return true;
  } catch (error) {
    // Who may not open it finds nothing out.
    return (error as { readonly code?: unknown }).code !== "EMFILE";
  } finally {
    for (const each of opened) each.close();
  }
}
