/**
 * The files of the npm package: what runs on Node.js and Bun as well as in browsers, as JavaScript
 * with its types.
 *
 * @module
 */
import * as esbuild from "esbuild";
import ts from "typescript";
import { ROOT, toRelative } from "../pack/paths.ts";
import type { ArchivedFile } from "../pack/tar.ts";

/** The entry points that run everywhere, by their names in the package. */
const ENTRIES: Readonly<Record<string, string>> = {
  "./frame": "lib/frame/mod.ts",
  "./pubsub/client": "lib/pubsub/client/mod.ts",
  "./request": "lib/request/client/mod.ts",
  "./request/client": "lib/request/client/mod.ts",
};

/** The oldest versions that the package is for. */
const ENGINES = { node: ">=20" };

const NEEDS_DENO = "needs_deno.js";

/** What a package's manifest says of an entry point. */
interface Export {
  readonly types?: string;
  readonly default: string;
}

/** Makes all files of the package, by their paths in it. */
export async function packageFiles(): Promise<ArchivedFile[]> {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`)) as DenoConfig;
  const modules = [...new Set(Object.values(ENTRIES))].map((path) => `${ROOT}/${path}`);
  const files = [
    text("package.json", JSON.stringify(manifestOf(config), null, 2)),
    text(NEEDS_DENO, needsDeno(config)),
    text("README.md", await Deno.readTextFile(`${ROOT}/docs/npm.md`)),
    text("LICENSE", await Deno.readTextFile(`${ROOT}/LICENSE`)),
    ...await javaScript(modules),
    ...declarations(modules),
  ];
  return files.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** What is read of deno.json. */
interface DenoConfig {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly exports: Readonly<Record<string, string>>;
}

/** What package.json says. */
function manifestOf({ name, version, license, exports }: DenoConfig): Record<string, unknown> {
  const runs = ([entry, module]: [string, string]): [string, Export] => {
    const path = `./${module.replace(/\.ts$/, "")}`;
    return [entry, { types: `${path}.d.ts`, default: `${path}.js` }];
  };
  const others = Object.keys(exports).filter((entry) => !(entry in ENTRIES));
  return {
    name,
    version,
    description: "A frame codec, and clients of request servers and of publish/subscribe",
    license,
    type: "module",
    // What is imported for what it does alone.
    sideEffects: [`./${NEEDS_DENO}`, "./lib/net/known_errors.js"],
    engines: ENGINES,
    exports: Object.fromEntries([
      ...Object.entries(ENTRIES).map(runs),
      ...others.map((entry): [string, Export] => [entry, { default: `./${NEEDS_DENO}` }]),
      ["./package.json", "./package.json"],
    ]),
  };
}

/** What is imported for the entry points that need Deno's sockets: an error that says so. */
function needsDeno({ name }: DenoConfig): string {
  const entries = Object.keys(ENTRIES).map((entry) => entry.replace(".", name)).join(", ");
  const message = `This part of ${name} opens sockets and needs Deno. ` +
    `These run here too: ${entries}. In Deno, import it from jsr:${name}.`;
  return `throw new Error(${JSON.stringify(message)});\n`;
}

/** The modules as JavaScript for the oldest of these runtimes; what several need is in chunks. */
async function javaScript(modules: readonly string[]): Promise<ArchivedFile[]> {
  try {
    const { outputFiles } = await esbuild.build({
      entryPoints: [...modules],
      bundle: true,
      splitting: true,
      format: "esm",
      platform: "neutral",
      target: "es2022",
      charset: "utf8",
      define: { "Promise.withResolvers": "withResolvers" },
      inject: [`${import.meta.dirname}/with_resolvers.ts`],
      outbase: ROOT,
      outdir: ROOT,
      chunkNames: "lib/chunks/[hash]",
      write: false,
      logLevel: "silent",
    });
    return outputFiles.map(({ path, contents }) => ({ name: toRelative(path), bytes: contents }));
  } finally {
    await esbuild.stop();
  }
}

/** The types of the modules, and of all that these refer to. */
function declarations(modules: readonly string[]): ArchivedFile[] {
  const files: ArchivedFile[] = [];
  const program = ts.createProgram(modules, {
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts", "lib.dom.asynciterable.d.ts"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    declaration: true,
    emitDeclarationOnly: true,
    // That the sources are right is what `deno check` says, by the types of Deno's runtime.
    noCheck: true,
    rootDir: ROOT,
    outDir: ROOT,
  });
  const { diagnostics } = program.emit(undefined, (path, content) => {
    files.push(
      text(toRelative(path), content.replace(/(["'])(\.{1,2}\/[^"']+)\.ts\1/g, "$1$2.js$1")),
    );
  });
  if (diagnostics.length === 0) return files;
  const host: ts.FormatDiagnosticsHost = {
    getCanonicalFileName: (name) => name,
    getCurrentDirectory: () => ROOT,
    getNewLine: () => "\n",
  };
  throw new Error(`The types cannot be written down:\n${ts.formatDiagnostics(diagnostics, host)}`);
}

function text(name: string, content: string): ArchivedFile {
  return { name, bytes: new TextEncoder().encode(content) };
}
