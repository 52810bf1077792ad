/** Says on stderr why a test, or a part of it, was not run. */
export function skip(reason: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${reason}\n`));
}

/** Whether this is Windows, where a test cannot hold; says why. */
export function skipOnWindows(why: string): boolean {
  if (Deno.build.os !== "windows") return false;
  skip(`on Windows, ${why}`);
  return true;
}

/** Whether programs cannot be told to end in order; says so. */
export function lacksSignals(): boolean {
  return skipOnWindows("where no program can be told to end in order");
}
