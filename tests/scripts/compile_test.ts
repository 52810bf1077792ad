import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { program } from "../../cmd/program.ts";
import { sha256 } from "../../scripts/pack/archive.ts";
import {
  type CompileOptions,
  denoCompile,
  embeddedFiles,
  MissingRuntimeError,
  notEmbedded,
} from "../../scripts/pack/deno_compile.ts";
import { moduleGraph } from "../../scripts/pack/module_graph.ts";
import { ROOT } from "../../scripts/pack/paths.ts";
import {
  environmentOf,
  permissionFlags,
  readableVariables,
} from "../../scripts/pack/permissions.ts";
import { archiveFile, targetOf, TARGETS } from "../../scripts/pack/targets.ts";
import { Scratch } from "../support/scratch.ts";
import { runTool, type ToolOutput } from "../support/tools.ts";

const ENTRY = "cmd/socktool.ts";
const graph = await moduleGraph(ENTRY);
/** Not this system's own, whose runtime base may be in the cache of who runs the tests. */
const OTHER_TARGET = "aarch64-pc-windows-msvc";

/**
 * What stands for the runtime base, which programs are appended to. Which one that is makes no
 * difference to what is appended, and a small one is appended to faster.
 */
const RUNTIME_BASE = Deno.build.os === "linux" ? "/bin/true" : Deno.execPath();

function compile(args: readonly string[], env: Record<string, string>): Promise<ToolOutput> {
  return runTool(Deno.execPath(), ["run", "-A", "scripts/compile.ts", ...args], {
    cwd: ROOT,
    env: { NO_COLOR: "1", ...env },
  });
}

Deno.test("every module, worker and package is in what deno compile lists as packed", async () => {
  using scratch = new Scratch();
  const output = scratch.at("dist");
  const { code, err } = await compile(["--output", output, "--no-check", "--level", "1"], {
    DENORT_BIN: RUNTIME_BASE,
  });
  assertEquals(code, 0, err);
  const target = targetOf(Deno.build.target);
  const archive = await Deno.readFile(`${output}/${archiveFile(target)}`);
  assertEquals(
    await Deno.readTextFile(`${output}/SHA256SUMS`),
    `${await sha256(archive)}  ${archiveFile(target)}\n`,
  );
  assert(/^socktool-\S+ {2}[\d.]+ MiB, unpacked [\d.]+ MiB$/m.test(err), err);
  const names = [...Deno.readDirSync(`${output}/socktool-${target.triple}`)].map(({ name }) =>
    name
  );
  assertEquals(names.filter((name) => !name.startsWith("socktool")), ["LICENSE"]);
  assert(names.includes("socktool.1"));
});

/** Compiles without checking types. */
async function compileHere(
  options: Omit<CompileOptions, "entry" | "permissions" | "check">,
): Promise<readonly string[]> {
  const permissions = await permissionFlags(program, options.target);
  return await denoCompile({ ...options, entry: ENTRY, permissions, check: false });
}

Deno.test("a module that is opened by a URL and not named to deno compile is missed", async () => {
  using scratch = new Scratch();
  const target = targetOf(Deno.build.target);
  const unnamed = await compileHere({
    target,
    output: scratch.at("socktool"),
    graph: { ...graph, opened: [] },
    env: { DENORT_BIN: RUNTIME_BASE },
  });
  const missing = notEmbedded(graph, unnamed);
  assert(missing.includes("lib/search/index_worker.ts"), missing.join());
  assert(missing.includes("lib/search/data/read_file.ts"), missing.join());
  assert(missing.some((name) => name.startsWith("npm:htmlparser2")), missing.join());
  assert(missing.includes("cmd/app_server.ts"), missing.join());
  assert(!missing.includes("cmd/program.ts"), missing.join());
});

Deno.test("denoCompile() says plainly that the runtime base cannot be downloaded", async () => {
  using scratch = new Scratch();
  const nowhere = "http://127.0.0.1:1";
  const other = {
    target: targetOf(OTHER_TARGET),
    output: scratch.at("socktool"),
    graph,
    env: { HTTPS_PROXY: nowhere, HTTP_PROXY: nowhere, ALL_PROXY: nowhere },
  };
  const { message } = await assertRejects(() => compileHere(other), MissingRuntimeError);
  assertStringIncludes(message, `runtime base for ${OTHER_TARGET} cannot be downloaded: `);
  assertStringIncludes(
    message,
    `DENORT_BIN=/path/to/denort deno task compile --target ${OTHER_TARGET}`,
  );
  assertStringIncludes(message, "deno task portable");
});

Deno.test("compile refuses what makes no sense", async () => {
  const refused = async (...args: string[]) => {
    const { code, err } = await compile([...args, "--no-check"], { DENORT_BIN: "/no/such/denort" });
    return [code, err.split("\n")[0]];
  };
  const [code, unknown] = await refused("--target", "x86_64-unknown-linux-gn");
  assertEquals(code, 2);
  assertStringIncludes(String(unknown), "did you mean x86_64-unknown-linux-gnu?");
  assertEquals(await refused("--all"), [
    2,
    "error: DENORT_BIN names the runtime base of one system, but 6 were asked for",
  ]);
  const [missing, text] = await refused();
  assertEquals(missing, 1);
  assertStringIncludes(String(text), "is not what DENORT_BIN names");
});

Deno.test("embeddedFiles() reads the tree that deno compile prints", () => {
  const text = `Compile cmd/socktool.ts to x

Embedded Files

x
├─┬ .deno_compile_node_modules (3.71MB - 3.37MB unique)
│ └─┬ localhost (3.71MB - 3.37MB unique)
│   ├── @scope/name/1.0.0/* (42.9KB)
│   └── pako/1.0.11/* (774.63KB - 774.52KB unique)
├── cmd/* (244.31KB)
├─┬ lib (561.98KB)
│ ├── frame/* (156.18KB)
│ └─┬ search (250.21KB)
│   └── data/walk.ts (8.69KB)
└── deno.json (1.2KB)

Files: 4.23MB
`;
  const embedded = embeddedFiles(text);
  assertEquals(embedded, [
    ".deno_compile_node_modules/localhost/@scope/name/1.0.0/*",
    ".deno_compile_node_modules/localhost/pako/1.0.11/*",
    "cmd/*",
    "lib/frame/*",
    "lib/search/data/walk.ts",
    "deno.json",
  ]);
  const graph = {
    modules: [
      "cmd/_cli/mod.ts",
      "lib/framed.ts",
      "lib/search/data/walk.ts",
      "lib/search/engine.ts",
    ],
    opened: [],
    assets: ["page.html"],
    packages: ["npm:@scope/name@^1.0.0", "npm:pako@1", "npm:name@^1.0.0"],
  };
  assertEquals(notEmbedded(graph, embedded), [
    "lib/framed.ts",
    "lib/search/engine.ts",
    "page.html",
    "npm:name@^1.0.0",
  ]);
});

Deno.test("a packed program may read only the variables of flags, a package, trust, folders and the service manager", async () => {
  const names = await readableVariables(program);
  const ofFlags = await environmentOf(program);
  assertEquals(names.filter((name) => !ofFlags.includes(name)), [
    "APPDATA",
    "HOME",
    "NODE_USE_SYSTEM_CA",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "WS_NO_BUFFER_UTIL",
    "WS_NO_UTF_8_VALIDATE",
  ]);
  for (const target of TARGETS) {
    const flags = await permissionFlags(program, target);
    const env = flags.find((flag) => flag.startsWith("--allow-env"));
    assertEquals(env, `--allow-env=${names.join(",")}`);
    assert(!flags.includes("-A") && !flags.includes("--allow-run"), flags.join(" "));
  }
});
