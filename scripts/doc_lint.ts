/**
 * Lints the documentation of each entry point in `deno.json` by itself: `deno task check:docs`. If
 * they were linted together, a type that one of them uses but only another one exports would not be
 * found.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { ROOT } from "./pack/paths.ts";
import { say } from "./pack/script.ts";

/** Lints one entry point. @returns what is wrong with it, or `undefined`. */
async function problemsOf(path: string): Promise<string | undefined> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["doc", "--lint", path],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return success ? undefined : text(stdout) + text(stderr);
}

if (import.meta.main) {
  const entries = Object.entries(config.exports);
  const results = await Promise.all(entries.map(([, path]) => problemsOf(path)));
  for (const [i, problems] of results.entries()) {
    if (problems !== undefined) say(`${entries[i]!.join(" ")}\n${problems}`);
  }
  const bad = results.filter((problems) => problems !== undefined).length;
  if (bad > 0) say(`${bad} of ${entries.length} entry points have documentation errors`);
  Deno.exit(bad === 0 ? 0 : 1);
}
