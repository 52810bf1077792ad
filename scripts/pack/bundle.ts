import { pathToFileURL } from "node:url";
import type { ModuleGraph } from "./module_graph.ts";
import { ROOT } from "./paths.ts";
import type { ArchivedFile } from "./tar.ts";

/** A program that was bundled into a few files. */
export interface Bundle {
  /** The file that is run. */
  readonly main: string;
  readonly files: readonly ArchivedFile[];
}

/** How `new URL("./name", import.meta.url)` is written in a bundle. */
const OPENED_FILE = /new URL\(\s*"(\.[^"]+)",\s*import\.meta\.url\s*\)/g;

/**
 * Bundles a program with its packages. Each module that it opens, a thread's or a
 * command's, is a file of its own beside the program. Code that several need is in files that they
 * import.
 */
export async function bundle(entry: string, graph: ModuleGraph): Promise<Bundle> {
  const folder = await Deno.makeTempDir({ prefix: "socktool-bundle-" });
  try {
    await denoBundle([entry, ...graph.opened], folder, "deno");
    const files: ArchivedFile[] = [];
    for (const name of await filesIn(folder)) {
      const text = await Deno.readTextFile(`${folder}/${name}`);
      const whole = redirected(name, text, graph) + await namedExports(`${folder}/${name}`, text);
      files.push({ name, bytes: new TextEncoder().encode(whole) });
    }
    for (const name of graph.assets) {
      files.push({ name, bytes: await Deno.readFile(`${ROOT}/${name}`) });
    }
    return { main: outputOf(entry), files };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Bundles modules of the checkout, each into a file of the same name in a folder. */
export async function denoBundle(
  entries: readonly string[],
  folder: string,
  platform: "deno" | "browser",
): Promise<void> {
  await runBundle("--code-splitting", "--platform", platform, "--outdir", folder, ...entries);
}

/** Bundles a script or a style sheet for browsers into one small file. */
export async function bundleForBrowsers(
  entry: string,
  output: string,
  external: readonly string[] = [],
): Promise<void> {
  const kept = external.flatMap((specifier) => ["--external", specifier]);
  await runBundle("--minify", "--platform", "browser", ...kept, "--output", output, entry);
}

/** How often `deno bundle` is tried while another process puts esbuild into Deno's cache. */
const TRIES = 5;

/** Before it is tried again. */
const PAUSE_MS = 500;

async function runBundle(...args: readonly string[]): Promise<void> {
  for (let tries = 1;; tries++) {
    const problem = await bundleProblem(args);
    if (problem === undefined) return;
    if (tries === TRIES || !problem.includes("failed to copy esbuild")) {
      throw new Error(
        `deno bundle failed: ${problem}\n  It fetches esbuild from the npm registry once, ` +
          "and finds it in Deno's cache from then on.",
      );
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

/** Runs `deno bundle` once. @returns why it failed, or `undefined`. */
async function bundleProblem(args: readonly string[]): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", ...args],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  if (success) return undefined;
  return new TextDecoder().decode(stderr).replace(/\n\nStack backtrace[\s\S]*/, "").trim();
}

/**
 * Corrects the paths of what a bundled file opens. They were relative to the module that names them,
 * and the bundled file is in another folder.
 */
function redirected(file: string, text: string, graph: ModuleGraph): string {
  return text.replace(OPENED_FILE, (_, relative: string) => {
    // Where the module was that says so is not known: all of the path that goes down has to fit.
    const end = `/${relative.replace(/^(\.{1,2}\/)+/, "")}`;
    const found = [...graph.opened, ...graph.assets].filter((path) => `/${path}`.endsWith(end));
    if (found.length !== 1) {
      throw new Error(
        `${file} opens ${relative}, which could be: ${found.join(", ") || "nothing"}`,
      );
    }
    const path = graph.opened.includes(found[0]!) ? outputOf(found[0]!) : found[0]!;
    const up = "../".repeat(file.split("/").length - 1) || "./";
    return `new URL("${up}${path}", import.meta.url)`;
  });
}

/**
 * Adds named exports to a CommonJS package that the program loads by `import()`: Deno makes them, the
 * bundler makes only a default export.
 */
async function namedExports(path: string, text: string): Promise<string> {
  const [, exported] = /^export default (require_\w+\(\));$/m.exec(text) ?? [];
  if (exported === undefined) return "";
  const module: { default: unknown } = await import(pathToFileURL(path).href);
  const names = Object.keys(module.default as object)
    .filter((name) => /^[A-Za-z_$][\w$]*$/.test(name) && name !== "default");
  return `export const { ${names.join(", ")} } = ${exported};\n`;
}

/** The path in the bundle of a module that was bundled. */
function outputOf(module: string): string {
  return module.replace(/\.[jt]s$/, ".js");
}

/** The files in a folder and its folders, in the order of their names. */
async function filesIn(folder: string, below = ""): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${folder}/${below}`)) {
    if (isDirectory) names.push(...await filesIn(folder, `${below}${name}/`));
    else names.push(below + name);
  }
  return names.sort();
}
