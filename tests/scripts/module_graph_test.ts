import { assert, assertEquals } from "@std/assert";
import { program } from "../../cmd/program.ts";
import { ImportGraph, moduleGraph, openedFiles } from "../../scripts/pack/module_graph.ts";
import { ROOT } from "../../scripts/pack/paths.ts";
import { ROLES } from "../house/rules.ts";

const graph = await moduleGraph("cmd/socktool.ts");

const fileOf = (command: string) => `cmd/${command.replaceAll("-", "_")}.ts`;
const commands = program.commands.map(({ name }) => fileOf(name));
/** What an app server loads besides before it answers, and the thread that searches. */
const LATER = [
  "lib/search/open_search.ts",
  "lib/search/index/make_index.ts",
  "lib/search/engine.ts",
  "lib/search/handler.ts",
  "lib/search/search_worker.ts",
];
/** What a broker loads if it has a store, and what makes the stores. */
const STREAM_WORK = "lib/pubsub/broker/streams/stream_work.ts";
const STORES = [
  "lib/pubsub/broker/streams/sqlite/sqlite_stream_store.ts",
  "lib/pubsub/broker/nats/connect_nats.ts",
];
const imports = await ImportGraph.of(["cmd/socktool.ts", ...commands, ...LATER, ...STORES]);

/** What starts with nothing but the program's own table: its `import`s, not its `import()`s. */
function startsWith(entry: string, dynamic = false): string[] {
  const root = new URL(`file://${ROOT}/`).href;
  return [...imports.importsOf(entry, dynamic)].map((specifier) => specifier.replace(root, ""))
    .sort();
}

Deno.test("moduleGraph() finds every module of the sources that is opened by a URL", async () => {
  const named: string[] = [];
  for (const folder of ["cmd", "lib"]) {
    for await (const file of sources(`${ROOT}/${folder}`)) {
      const text = await Deno.readTextFile(file);
      // However it is written: such a module is named nowhere else.
      for (const [, name] of text.matchAll(/"([\w/.]+\.ts)",?\s*import\.meta\.url/g)) {
        named.push(new URL(name!, `file:///${file.slice(ROOT.length + 1)}`).pathname.slice(1));
      }
    }
  }
  assert(named.length >= 2 + program.commands.length);
  const packed = named.filter((path) => graph.modules.some((each) => sameFolder(each, path)));
  assertEquals([...new Set(packed)].sort(), graph.opened);
});

Deno.test("moduleGraph() goes through opened modules to theirs and to their packages", () => {
  for (const module of graph.opened) assert(graph.modules.includes(module), module);
  assert(
    graph.modules.includes("lib/search/data/read_file.ts"),
    "only the index worker imports it",
  );
  assert(graph.packages.some((name) => name.startsWith("npm:htmlparser2@")));
});

Deno.test("openedFiles() resolves names against the module that has them", () => {
  const text = `new Worker(new URL("./a/b.ts", import.meta.url));
    const page = new URL(
      "../page.html",
      import.meta.url,
    );
    new URL("https://example.org/", import.meta.url);`;
  assertEquals(openedFiles("lib/x/y.ts", text), ["lib/x/a/b.ts", "lib/page.html"]);
});

Deno.test("the program starts without any role, worker or package of npm", () => {
  const loaded = startsWith("cmd/socktool.ts");
  const wrong = loaded.filter((path) =>
    path.startsWith("npm:") || (path.startsWith("lib/") && !/^lib\/(base|net)\//.test(path)) ||
    (/^cmd\/[^_]/.test(path) && !["cmd/socktool.ts", "cmd/program.ts"].includes(path))
  );
  assertEquals(wrong, []);
});

Deno.test("no server loads anything of HTTP before --http asks for it", () => {
  for (const name of ["echo_server", "multiconn_server", "app_server", "broker", "proxy"]) {
    const loaded = startsWith(`cmd/${name}.ts`);
    assert(loaded.includes("cmd/_web/open_http.ts"), name);
    const ofHttp = /^(lib\/web\/|cmd\/_web\/(served\/|http_side)|node:http|npm:\/?ws@)/;
    assertEquals(loaded.filter((path) => ofHttp.test(path)), [], name);
  }
});

/** Rooms that nobody starts with as a whole. */
const WHOLE = /^lib\/(frame|net|net\/bytes|echo|request|pubsub|sqlite)\/mod\.ts$/;

Deno.test("no server loads all of the rooms below, such as what dials, or streams contents", () => {
  for (const name of ["echo_server", "multiconn_server", "app_server", "broker"]) {
    const loaded = startsWith(`cmd/${name}.ts`);
    assert(loaded.includes("lib/net/serve.ts"), name);
    assertEquals(loaded.filter((path) => WHOLE.test(path)), [], name);
  }
  for (const path of LATER) {
    // `node:path` takes 8 ms.
    const needless = (path: string) => WHOLE.test(path) || /^node:(?!sqlite$)/.test(path);
    assertEquals(startsWith(path).filter(needless), [], path);
  }
});

Deno.test("no client loads what serves, or all of the rooms below", () => {
  for (const name of ["pub", "sub", "app_client", "echo_client"]) {
    const loaded = startsWith(`cmd/${name}.ts`);
    assert(loaded.includes("lib/net/dial.ts"), name);
    const others = (path: string) => WHOLE.test(path) || /\/(serve|listen)\.ts$/.test(path);
    assertEquals(loaded.filter(others), [], name);
  }
});

Deno.test("a broker loads nothing of streams, recordings or certificates before it needs them", () => {
  const loaded = startsWith("cmd/broker.ts");
  assert(loaded.includes("lib/pubsub/broker/session.ts"));
  const later = new RegExp(
    "/broker/streams/(?!stream_rights|stream_error)|/(handshake_limits|tls_sayings)\\.ts$|" +
      "^deno\\.json$|^lib/base/sleep\\.ts$|^cmd/.*/(tls_files|open_files|make_streams|report_stats)\\.ts$",
  );
  assertEquals(loaded.filter((path) => later.test(path)), []);
  // What an import() names is read at the start, too.
  assertEquals(startsWith("cmd/broker.ts", true).filter((path) => STREAM_WORK === path), []);
  for (const path of STORES) assert(startsWith(path).includes(STREAM_WORK), path);
});

Deno.test("no server loads a module because a peer asks for it: Deno ends if no descriptor is left", () => {
  /** What these load, they load when a server starts, or its data change. */
  const atStart = new Set([
    "lib/base/import_later.ts",
    "lib/base/latencies.ts",
    "lib/net/listen.ts",
    "lib/proxy/dial_upstream.ts",
    "lib/proxy/listen_sockets.ts",
    "lib/pubsub/broker/operations.ts",
    "lib/search/open_search.ts",
    "lib/search/words/stemmer.ts",
    "lib/sqlite/file_lock.ts",
    // A proxy dials Unix sockets by it, which needs nothing more.
    "lib/net/dial.ts",
  ]);
  for (const name of ["echo_server", "multiconn_server", "app_server", "broker", "proxy", "tap"]) {
    const loading = startsWith(`cmd/${name}.ts`)
      .filter((path) => path.startsWith("lib/"))
      .filter((path) =>
        /(?<!typeof )\bimport(Later)?[(<]/.test(Deno.readTextFileSync(`${ROOT}/${path}`))
      );
    assertEquals(loading.filter((path) => !atStart.has(path)), [], name);
  }
});

Deno.test("no command loads what belongs to the role of another", () => {
  for (const { name } of program.commands) {
    const loaded = startsWith(fileOf(name));
    assertEquals(loaded.filter((path) => path.startsWith("npm:")), [], name);
    const folders = loaded.filter((path) => path.startsWith("lib/")).map((path) =>
      path.split("/")[1]!
    );
    const roles = new Set(folders.filter((folder) => ROLES.includes(folder)));
    assert(roles.size <= 1, `${name} loads ${[...roles].join(", ")}`);
  }
});

async function* sources(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* sources(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

function sameFolder(a: string, b: string): boolean {
  return a.slice(0, a.lastIndexOf("/")) === b.slice(0, b.lastIndexOf("/"));
}
