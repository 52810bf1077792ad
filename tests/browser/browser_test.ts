/**
 * The entry points for browsers: their bundles name nothing of Deno or Node, and they work where
 * everything of the runtime has been removed, in Deno and in Node.
 */
import { assert, assertEquals } from "@std/assert";
import { denoBundle } from "../../scripts/pack/bundle.ts";
import { serveBroker } from "../../lib/pubsub/mod.ts";
import { RequestError, serveRequests } from "../../lib/request/mod.ts";
import { readModule } from "../house/read_module.ts";
import { ROOT } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { skip } from "../support/skip.ts";
import { isInstalled, runTool } from "../support/tools.ts";

/** An entry point of the package, and the server that its exercise in `entries/` talks to. */
interface Entry {
  readonly exercise: string;
  serve(): Promise<AsyncDisposable & { readonly address: unknown }>;
}

const upperCase = () =>
  serveRequests("127.0.0.1:0", (request) => {
    if (request.text() === "fail") throw new RequestError("asked-for", "It was asked for");
    return request.text().toUpperCase();
  });

const ENTRIES: Readonly<Record<string, Entry>> = {
  "./frame": { exercise: "frame.mjs", serve: upperCase },
  "./request/client": { exercise: "request_client.mjs", serve: upperCase },
  "./pubsub/client": { exercise: "pubsub_client.mjs", serve: () => serveBroker("127.0.0.1:0") },
};

const RUNTIMES: readonly (readonly [name: string, command: string, args: readonly string[]])[] = [
  ["Deno", Deno.execPath(), ["run", "-A", "--no-config"]],
  ...(await hasNode() ? [["Node", "node", []] as const] : []),
];

const here = import.meta.dirname!;
const { exports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));

for (const [name, { exercise, serve }] of Object.entries(ENTRIES)) {
  Deno.test(`${name} runs in a browser`, async (t) => {
    const module: string = exports[name];
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
        const words = [`${here}/entries/run.mjs`, bundle, `${here}/entries/${exercise}`];
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
