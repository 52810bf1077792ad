/** Says on stderr why a test, or a part of it, was not run. */
export function skip(reason: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`skipped: ${reason}\n`));
}
