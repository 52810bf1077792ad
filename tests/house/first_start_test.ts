/** What the first start of a program of the checkout downloads. */
import { assert, assertEquals } from "@std/assert";
import { importsOf } from "../../scripts/pack/module_graph.ts";
import { ROOT } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { runTool } from "../support/tools.ts";

interface LockedPackage {
  readonly integrity: string;
  readonly dependencies?: readonly string[];
}

const lock = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.lock`)) as {
  readonly npm: Readonly<Record<string, LockedPackage>>;
};

/** By name. */
const packages = new Map(
  Object.entries(lock.npm).map(([key, locked]) => {
    const [, name, version] = /^(@?[^@]+)@([^_]+)/.exec(key)!;
    return [name!, { version: version!, ...locked }];
  }),
);

/** A package and all that it needs. */
function withDependencies(name: string, all = new Set<string>()): Set<string> {
  if (all.has(name)) return all;
  all.add(name);
  for (const each of packages.get(name)?.dependencies ?? []) {
    withDependencies(/^@?[^@]+/.exec(each)![0], all);
  }
  return all;
}

/** The packages that a program asks the registry for when it starts for the first time. */
async function askedFor(entry: string): Promise<string[]> {
  const asked = new Set<string>();
  await using registry = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    (request) => {
      const path = decodeURIComponent(new URL(request.url).pathname).slice(1);
      const [name, file] = path.split("/-/") as [string, string?];
      asked.add(name);
      const found = packages.get(name);
      // No package is here: it is enough to see which ones are wanted.
      if (file !== undefined || found === undefined) return new Response(null, { status: 404 });
      const { version, integrity } = found;
      const dist = { tarball: `http://${request.headers.get("host")}/${name}/-/x.tgz`, integrity };
      return Response.json({ name, "dist-tags": {}, versions: { [version]: { version, dist } } });
    },
  );
  using scratch = new Scratch();
  await runTool(Deno.execPath(), ["run", "-A", entry, "--help"], {
    cwd: ROOT,
    env: {
      DENO_DIR: scratch.at("deno"),
      HOME: scratch.path,
      NPM_CONFIG_REGISTRY: `http://127.0.0.1:${registry.addr.port}`,
    },
  });
  return [...asked];
}

Deno.test("a server's first start downloads no package", async () => {
  assertEquals(await askedFor("cmd/app_server.ts"), []);
});

Deno.test("a client's first start downloads the packages that it imports, and no tool of tests", async () => {
  const asked = await askedFor("cmd/app_client.ts");
  const imported = [...await importsOf(["cmd/app_client.ts"])]
    .flatMap((specifier) => /^npm:\/?(@?[^@]+)/.exec(specifier)?.[1] ?? []);
  const needed = new Set(imported.flatMap((name) => [...withDependencies(name)]));
  assert(asked.length > 0);
  assertEquals(asked.filter((name) => !needed.has(name)), []);
});
