import type { ModuleGraph } from "./module_graph.ts";
import { ROOT } from "./paths.ts";
import type { Target } from "./targets.ts";

/** What to compile, and how. */
export interface CompileOptions {
  readonly entry: string;
  readonly target: Target;
  /** Where to write the program. */
  readonly output: string;
  readonly graph: ModuleGraph;
  readonly permissions: readonly string[];
  /** Whether to check types first. @default {true} */
  readonly check?: boolean;
  /** Variables that `deno compile` gets besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Compiles a program into one executable.
 *
 * @returns the paths that `deno compile` lists as packed; see {@linkcode embeddedFiles}.
 * @throws {MissingRuntimeError} if Deno's runtime base is missing and cannot be downloaded.
 */
export async function denoCompile(options: CompileOptions): Promise<readonly string[]> {
  const { entry, target, output, graph, permissions, check = true, env = {} } = options;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "compile",
      "--output",
      output,
      "--target",
      target.triple,
      "--exclude-unused-npm",
      ...(check ? [] : ["--no-check"]),
      ...permissions,
      ...[...graph.opened, ...graph.assets].flatMap((path) => ["--include", path]),
      entry,
    ],
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  }).output();
  const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (success) return embeddedFiles(`${out}\n${err}`);
  const said = err!.replace(/\n\n *Stack backtrace[\s\S]*/, "").trim();
  const problem = said.slice(Math.max(0, said.indexOf("error: ")));
  const denort = env["DENORT_BIN"] ?? Deno.env.get("DENORT_BIN");
  if (/Setting up base binary|Could not find denort/.test(problem)) {
    throw new MissingRuntimeError(target, denort, problem);
  }
  throw new Error(`deno compile failed:\n${said.replace(LISTING, "\n")}`);
}

const LISTING = /\s*Embedded Files\s[\s\S]*?\nRemote modules:.*\n*/;

/**
 * Reads the packed paths from the tree that `deno compile` prints. A path that ends with `/*` stands
 * for everything in the folder.
 */
export function embeddedFiles(text: string): string[] {
  const files: string[] = [];
  const folders: string[] = [];
  const [, tree = ""] = /Embedded Files\s+\S+\n([\s\S]*?)\n\s*\n/.exec(text) ?? [];
  for (const line of tree.split("\n")) {
    const [, indent, branch, name] =
      /^((?:│ | {2})*)[├└](──|─┬) (.+?)(?: \([^()]*\))?$/.exec(line) ?? [];
    if (indent === undefined || name === undefined) continue;
    const depth = indent.length / 2;
    folders.length = depth;
    if (branch === "─┬") folders[depth] = name;
    else files.push([...folders, name].join("/"));
  }
  return files;
}

/** The files of a program that are missing in a list of packed paths. */
export function notEmbedded(graph: ModuleGraph, embedded: readonly string[]): string[] {
  const files = new Set(embedded);
  const folders = embedded.filter((path) => path.endsWith("/*")).map((path) => path.slice(0, -1));
  const isThere = (path: string) =>
    files.has(path) || folders.some((folder) => path.startsWith(folder));
  const packages = graph.packages.filter((specifier) => {
    const name = /^npm:\/?(@?[^@]+)/.exec(specifier)![1];
    return !embedded.some((path) => path.startsWith(`${PACKAGES}/localhost/${name}/`));
  });
  return [...[...graph.modules, ...graph.assets].filter((path) => !isThere(path)), ...packages];
}

/** The folder in which compiled programs keep packages. */
const PACKAGES = ".deno_compile_node_modules";

/** Deno's runtime base is missing: the executable that a compiled program is appended to. */
export class MissingRuntimeError extends Error {
  override readonly name = "MissingRuntimeError";
  readonly code = "missing-runtime";
  readonly triple: string;

  /** @param denort The value of `DENORT_BIN`. @param problem What `deno compile` printed. */
  constructor(target: Target, denort: string | undefined, problem: string) {
    const reasons = problem.split("\n").map((line) => line.replace(/^\s*\d+:\s*/, "").trim());
    const reason = reasons.find((line) => /sending request|Could not find|status/.test(line)) ??
      reasons.at(-1) ?? problem;
    const zip = `denort-${target.triple}.zip`;
    super(
      `Deno's runtime base for ${target.triple} ${
        denort === undefined ? "cannot be downloaded" : "is not what DENORT_BIN names"
      }: ${reason}
  deno compile appends the program to this base, called denort. Where it cannot be downloaded,
  fetch ${zip} of Deno ${Deno.version.deno}'s release on another machine, unpack it,
  and name it: DENORT_BIN=/path/to/denort deno task compile --target ${target.triple}
  Or put the zip as it is into dl/release/v${Deno.version.deno} in Deno's cache (DENO_DIR).
  Without it, deno task portable makes one file of the deno that runs here.`,
    );
    this.triple = target.triple;
  }
}
