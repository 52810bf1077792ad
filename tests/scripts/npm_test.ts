/** The npm package, installed by npm itself from the file that would be published. */
import { assert, assertEquals } from "@std/assert";
import ts from "typescript";
import { jsonFrame } from "../../lib/frame/mod.ts";
import type { TcpAddress } from "../../lib/net/mod.ts";
import { serveBroker } from "../../lib/pubsub/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { ROOT } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled, runTool, type ToolOutput } from "../support/tools.ts";

const { name, version, exports } = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)) as {
  name: string;
  version: string;
  exports: Record<string, string>;
};

/** What runs without Deno. */
const RUNS = ["./frame", "./pubsub/client", "./request", "./request/client"];

/** A program with types, in which each entry point is used. */
const TYPED = `
import { encodeFrame, FrameDecoder } from "${name}/frame";
import { type BrokerClient, connectBroker, duplexOf } from "${name}/pubsub/client";
import { connectRequests, type Reply } from "${name}/request";
import { RequestError } from "${name}/request/client";

const bytes: Uint8Array = encodeFrame({ content: "x" });
export const decoder: FrameDecoder = new FrameDecoder();
export async function use(url: string): Promise<string> {
  await using client: BrokerClient = await connectBroker(url);
  const receivers: number = await client.publishConfirmed("a.b", bytes);
  const requests = await connectRequests(url);
  const reply: Reply = await requests.request("x");
  const text: string = reply.text();
  return text + receivers + String(RequestError.name) + String(duplexOf.length);
}
// @ts-expect-error: a topic is text.
export const wrong = (client: BrokerClient) => client.publish(1, "x");
`;

const CONFIG = {
  compilerOptions: {
    module: "nodenext",
    target: "es2022",
    lib: ["esnext", "dom", "dom.iterable", "dom.asynciterable"],
    strict: true,
    noEmit: true,
    // That the compiler's own types are right is not for us to find out.
    skipDefaultLibCheck: true,
    types: [],
    exactOptionalPropertyTypes: true,
  },
  files: ["typed.ts"],
};

/** What is lost on its way is asked for again after a second: npm would wait for ten, then a minute. */
const RETRIES = [
  "--fetch-retries=6",
  "--fetch-retry-mintimeout=1000",
  "--fetch-retry-maxtimeout=5000",
];

Deno.test({
  name: "the npm package runs on Node.js and Bun, and has types",
  ignore: !isInstalled("npm", "the npm package"),
  async fn(t) {
    using scratch = new Scratch();
    const folder = scratch.path;
    const make = ["run", "-A", `${ROOT}scripts/npm.ts`, "--output", folder];
    succeeded(await runTool(Deno.execPath(), make, { cwd: ROOT }));
    const file = `socktool-socktool-${version}.tgz`;
    scratch.write("package.json", '{"type": "module"}');
    const words = ["install", "--no-audit", "--no-fund", "--ignore-scripts", ...RETRIES];
    const env = { RES_OPTIONS: "timeout:1 attempts:10" };
    succeeded(await runTool("npm", [...words, `./${file}`, "bun@1"], { cwd: folder, env }));

    await t.step("its types are right by themselves", async () => {
      scratch.write("typed.ts", TYPED);
      scratch.write("tsconfig.json", JSON.stringify(CONFIG));
      // Deno has it already, for making the package.
      const tsc = ts.sys.getExecutingFilePath().replace(/[^/\\]*$/, "tsc.js");
      const { code, out } = await runTool("node", [tsc], { cwd: folder });
      assertEquals(code, 0, out);
    });

    for (const [runtime, command] of [["Node.js", "node"], ["Bun", await bunIn(folder)]]) {
      if (command === undefined) continue;
      await t.step(`the example runs on ${runtime}`, async () => {
        const answer = () => jsonFrame({ result: "Follow the white rabbit. 🐰" });
        await using requests = await serveRequests("127.0.0.1:0", answer);
        await using broker = await serveBroker("127.0.0.1:0");
        const ports = [requests, broker].map(({ address }) => String((address as TcpAddress).port));
        const example = Deno.readTextFileSync(`${ROOT}docs/examples/on_node.mjs`);
        scratch.write("on_node.mjs", example);
        const { code, out, err } = await runTool(command, ["on_node.mjs", ...ports], {
          cwd: folder,
        });
        assertEquals([code, err], [0, ""]);
        const [, prints] = /\* Prints:\n \*\n([\s\S]*?)\n \*\//.exec(example)!;
        assertEquals(out, prints!.replaceAll(/^ \* /gm, "") + "\n");
      });

      await t.step(`what needs Deno says so on ${runtime}`, async () => {
        const entries = Object.keys(exports).filter((entry) => !RUNS.includes(entry))
          .map((entry) => entry.replace(".", name));
        assert(entries.includes(name) && entries.includes(`${name}/net`));
        scratch.write(
          "others.mjs",
          `for (const entry of ${JSON.stringify(entries)}) {
             const said = await import(entry).then(() => "nothing", (error) => error.message);
             if (!said.includes("needs Deno")) throw new Error(entry + ": " + said);
           }
           for (const entry of ${JSON.stringify(RUNS.map((entry) => entry.replace(".", name)))}) {
             await import(entry);
           }`,
        );
        succeeded(await runTool(command, ["others.mjs"], { cwd: folder }));
      });
    }
  },
});

/** Where npm put Bun; `undefined`, said by name, where it has none for this system. */
async function bunIn(folder: string): Promise<string | undefined> {
  const systems = await Array.fromAsync(Deno.readDir(`${folder}/node_modules/@oven`))
    .catch(() => []);
  const file = Deno.build.os === "windows" ? "bun.exe" : "bun";
  for (const { name } of systems) {
    const path = `${folder}/node_modules/@oven/${name}/bin/${file}`;
    const { code } = await runTool(path, ["--version"]).catch(() => ({ code: -1 }));
    if (code === 0) return path;
  }
  Deno.stderr.writeSync(
    new TextEncoder().encode("skipped, because npm has no Bun for this system\n"),
  );
  return undefined;
}

function succeeded({ code, out, err }: ToolOutput): void {
  assertEquals(code, 0, out + err);
  assert(!err.includes("deprecated"), err);
}
