/**
 * The entry points for browsers: bundled for one, they name nothing of a runtime, and they work where
 * nothing of a runtime is left, in Deno and in Node.
 */
import { assert, assertEquals } from "@std/assert";
import { denoBundle } from "../../scripts/pack/bundle.ts";
import { RequestError, serveRequests } from "../../lib/request/mod.ts";
import { readModule } from "../house/read_module.ts";
import { listenLocally } from "../support/peers.ts";
import { Scratch } from "../support/scratch.ts";
import { skip } from "../support/skip.ts";
import { isInstalled, runTool } from "../support/tools.ts";

/** Serves what the exercise of an entry point talks to. */
type Serve = () => Promise<AsyncDisposable & { readonly address: unknown }>;

const ENTRIES: Readonly<Record<string, { readonly module: string; readonly serve: Serve }>> = {
  frame: {
    module: "lib/frame/mod.ts",
    serve: async () =>
      serveRequests(await listenLocally(), (request) => ({
        content: request.text().toUpperCase(),
      })),
  },
  request_client: {
    module: "lib/request/client/mod.ts",
    serve: () =>
      serveRequests("127.0.0.1:0", (request) => {
        if (request.content.length === 0) throw new RequestError("empty", "The request is empty");
        return request.text().toUpperCase();
      }),
  },
};

const RUNTIMES: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ["Deno", Deno.execPath(), ["run", "-A", "--no-config"]],
  ...(await hasNode() ? [["Node", "node", []] as const] : []),
];

const here = import.meta.dirname!;

for (const [name, { module, serve }] of Object.entries(ENTRIES)) {
  Deno.test(`${module} runs in a browser`, async (t) => {
    using scratch = new Scratch();
    await denoBundle([module], scratch.path, "browser");
    const bundle = scratch.at("mod.js");
    scratch.write("package.json", `{"type": "module"}`);
    await t.step("its bundle names nothing of a runtime, and imports nothing", async () => {
      const text = await Deno.readTextFile(bundle);
      const { uses, imports } = readModule("bundle.js", text);
      assertEquals(uses.filter((use) => use !== "console"), []);
      assertEquals(imports, []);
      assert(!/["'`]node:/.test(text));
    });
    for (const [runtime, command, args] of RUNTIMES) {
      await t.step(`it works where nothing of ${runtime} is left`, async () => {
        await using server = await serve();
        const { port } = server.address as { readonly port: number };
        const words = [`${here}/entries/run.mjs`, bundle, `${here}/entries/${name}.mjs`];
        const { code, err } = await runTool(command, [...args, ...words, String(port)]);
        assertEquals(code, 0, err);
      });
    }
  });
}

/** Older ones lack what browsers have: `Promise.withResolvers`, `ArrayBuffer.prototype.transfer`. */
async function hasNode(): Promise<boolean> {
  const what = "the browsers' entry points in Node";
  if (!isInstalled("node", what)) return false;
  const { out } = await runTool("node", ["--version"]);
  if (Number(/^v(\d+)/.exec(out)?.[1]) >= 22) return true;
  skip(`${what}: 22 is the oldest that has what browsers have, and this is ${out.trim()}`);
  return false;
}
