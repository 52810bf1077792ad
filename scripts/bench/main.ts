/**
 * `deno task bench [NAME…]`: runs the benchmarks of this folder, prints their figures and keeps
 * them as JSON under `.bench/`.
 *
 * @module
 */
import { printFigures } from "./print.ts";
import type { Figures } from "./support.ts";

const BENCHMARKS: Readonly<Record<string, () => Promise<{ run(): Promise<Figures> }>>> = {
  frame: () => import("./frame.ts"),
  stream: () => import("./stream.ts"),
  app_server: () => import("./app_server.ts"),
  search: () => import("./search.ts"),
  echo: () => import("./echo.ts"),
  pubsub: () => import("./pubsub.ts"),
};

const names = Deno.args.length > 0 ? Deno.args : Object.keys(BENCHMARKS);
const unknown = names.filter((name) => !Object.hasOwn(BENCHMARKS, name));
if (unknown.length > 0) {
  const text = `unknown benchmark ${unknown.join(", ")}: ${Object.keys(BENCHMARKS).join(", ")}\n`;
  Deno.stderr.writeSync(new TextEncoder().encode(text));
  Deno.exit(2);
}
const results: Record<string, unknown> = {
  date: new Date().toISOString(),
  deno: Deno.version.deno,
  cores: navigator.hardwareConcurrency,
};
for (const name of names) {
  const figures = await (await BENCHMARKS[name]!()).run();
  printFigures(name, figures);
  results[name] = figures;
}
const folder = new URL("../../.bench/", import.meta.url);
await Deno.mkdir(folder, { recursive: true });
const file = new URL(`${new Date().toISOString().replace(/[:.]/g, "-")}.json`, folder);
await Deno.writeTextFile(file, JSON.stringify(results, null, 2) + "\n");
