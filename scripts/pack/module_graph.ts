/**
 * Finds everything that has to be packed: besides imported modules also what the code opens by
 * `new URL("./name", import.meta.url)`: the main modules of threads, modules that are imported when
 * they are needed, and other files. They are found in the sources, so that nobody has to list them.
 *
 * @module
 */
import { fromFileUrl, ROOT, toFileUrl, toRelative } from "./paths.ts";

/** What a program consists of. Paths are relative to the checkout, with `/`. */
export interface ModuleGraph {
  /** All its own modules, except those with nothing but types. */
  readonly modules: readonly string[];
  /** The modules that it opens by a URL, when it needs them. */
  readonly opened: readonly string[];
  /** Other files that it opens. */
  readonly assets: readonly string[];
  /** The packages that it imports, as `npm:NAME@RANGE`. */
  readonly packages: readonly string[];
}

/** A file that is named relative to the module that opens it, as `URL` takes it. */
const OPENED_FILE = /new URL\(\s*"(\.[^"]+)",\s*import\.meta\.url,?\s*\)/g;

/** Where modules are that open others. */
const FOLDERS = ["cmd", "lib"];

/** Follows a program's imports, the modules that it opens, and what these import and open. */
export async function moduleGraph(entry: string): Promise<ModuleGraph> {
  const modules = new Set<string>();
  const opened = new Set<string>();
  const assets = new Set<string>();
  const packages = new Set<string>();
  // One process tells the imports of all that anything opens: each takes longer to start than to look.
  const imports = await ImportGraph.of([
    entry,
    ...FOLDERS.flatMap((folder) => openedBelow(folder)),
  ]);
  for (let entries = [entry]; entries.length > 0;) {
    const all = new Set(entries.flatMap((each) => [...imports.importsOf(each, true)]));
    entries = [];
    for (const module of all) {
      if (!module.startsWith(FILE)) {
        if (module.startsWith("npm:")) packages.add(module);
        continue;
      }
      const path = toRelative(fromFileUrl(module));
      if (modules.has(path)) continue;
      modules.add(path);
      for (const file of openedFiles(path, textOf(path))) {
        const known = isModule(file) ? opened : assets;
        if (known === opened && !opened.has(file)) entries.push(file);
        known.add(file);
      }
    }
  }
  const sorted = (paths: Set<string>) => [...paths].sort();
  return {
    modules: sorted(modules),
    opened: sorted(opened),
    assets: sorted(assets),
    packages: sorted(packages),
  };
}

const isModule = (path: string) => /\.[jt]s$/.test(path);
const textOf = (path: string) => Deno.readTextFileSync(`${ROOT}/${path}`);

/** The modules that those in a folder open. */
function openedBelow(folder: string): string[] {
  return [...Deno.readDirSync(`${ROOT}/${folder}`)].flatMap(({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    if (isDirectory) return openedBelow(path);
    return name.endsWith(".ts") ? openedFiles(path, textOf(path)).filter(isModule) : [];
  });
}

/** The files that a module's text opens relative to itself. */
export function openedFiles(module: string, text: string): string[] {
  return [...text.matchAll(OPENED_FILE)].map(([, relative]) =>
    new URL(relative!, `file:///${module}`).pathname.slice(1)
  );
}

const FILE = "file:";

interface Dependency {
  /** Missing if only types are imported. */
  readonly code?: { readonly specifier?: string; readonly error?: string };
  readonly isDynamic?: boolean;
}

interface Info {
  readonly redirects: Readonly<Record<string, string>>;
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly Dependency[];
  }[];
}

/**
 * The specifiers of all modules that some modules load, directly or through others.
 *
 * @param dynamic Whether to include modules loaded by `import()`. @default {true}
 */
export async function importsOf(
  entries: readonly string[],
  dynamic = true,
): Promise<Set<string>> {
  const graph = await ImportGraph.of(entries);
  return new Set(entries.flatMap((entry) => [...graph.importsOf(entry, dynamic)]));
}

/** What some modules load, and what that loads. */
export class ImportGraph {
  readonly #redirects: Info["redirects"];
  readonly #modules: ReadonlyMap<string, Info["modules"][number]>;

  private constructor({ redirects, modules }: Info) {
    this.#redirects = redirects;
    this.#modules = new Map(modules.map((module) => [module.specifier, module]));
  }

  /** One process finds out: it is asked for a module that imports them all. */
  static async of(entries: readonly string[]): Promise<ImportGraph> {
    const imports = entries.map((entry) => `import ${JSON.stringify(toFileUrl(entry))};`);
    const root = `data:application/typescript,${encodeURIComponent(imports.join(""))}`;
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", root],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    if (!success) throw new Error(`deno info ${entries}: ${new TextDecoder().decode(stderr)}`);
    return new ImportGraph(JSON.parse(new TextDecoder().decode(stdout)) as Info);
  }

  /**
   * The specifiers of a module and of all that it loads, directly or through others.
   *
   * @param dynamic Whether to include modules loaded by `import()`.
   */
  importsOf(entry: string, dynamic: boolean): Set<string> {
    const found = new Set<string>();
    for (const waiting = [toFileUrl(entry)]; waiting.length > 0;) {
      const specifier = waiting.pop()!;
      if (found.has(specifier)) continue;
      found.add(specifier);
      const known = this.#modules.get(this.#redirects[specifier] ?? specifier);
      if (known === undefined && specifier.startsWith(FILE)) {
        throw new Error(`${entry} loads ${specifier}, of which nothing was asked`);
      }
      const { error, dependencies = [] } = known ?? {};
      if (error !== undefined) throw new Error(`Cannot follow the imports of ${entry}: ${error}`);
      for (const { code, isDynamic } of dependencies) {
        if (code?.specifier !== undefined && (dynamic || !isDynamic)) waiting.push(code.specifier);
      }
    }
    return found;
  }
}
