/** `deno task install`, and importing a clone, in a home where nothing is. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../scripts/pack/paths.ts";
import { Scratch } from "../support/scratch.ts";
import { runTool } from "../support/tools.ts";

const PATH = "/usr/bin:/bin";
const isUnix = Deno.build.os !== "windows";

function install(home: string, ...args: readonly string[]) {
  // The cache of packages is where it is: nothing is fetched anew.
  const DENO_DIR = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  return runTool(Deno.execPath(), ["run", "-A", `${ROOT}/scripts/install_clone.ts`, ...args], {
    clearEnv: true,
    env: { HOME: home, USERPROFILE: home, PATH, DENO_DIR, NO_COLOR: "1" },
  });
}

const echo = (program: string, env: Record<string, string>) =>
  runTool(program, ["--version"], { clearEnv: true, env });

for (const args of [[], ["--launcher"]]) {
  Deno.test({
    name: `install ${args.join(" ")} puts a program that runs into ~/.local/bin`,
    ignore: !isUnix,
    fn: async () => {
      using scratch = new Scratch();
      const { code, err } = await install(scratch.path, ...args);
      assertEquals(code, 0, err);
      const program = scratch.at(".local/bin/socktool");
      assertStringIncludes(err, `as ${program}\n`);
      assertStringIncludes(err, `${scratch.at(".local/bin")} is not in PATH`);
      // By a user who has no Deno.
      const { out, code: codeOfProgram } = await echo(program, { HOME: scratch.path, PATH });
      assertEquals([out.split(" ")[0], codeOfProgram], ["socktool", 0]);
      assertEquals([...Deno.readDirSync(scratch.at(".local/bin"))].length, 1);
    },
  });
}

Deno.test({
  name: "install keeps the program that is there where the new one cannot be put",
  ignore: !isUnix,
  fn: async () => {
    using scratch = new Scratch();
    Deno.mkdirSync(scratch.at("bin/socktool.new"), { recursive: true });
    scratch.write("bin/socktool.new/file", "");
    scratch.write("bin/socktool", "old");
    const { code, err } = await install(scratch.path, "--launcher", "--to", scratch.at("bin"));
    assertEquals(code, 1);
    assertStringIncludes(err, "error:");
    assertEquals(Deno.readTextFileSync(scratch.at("bin/socktool")), "old");
    assertEquals(Deno.readTextFileSync(scratch.at("bin/socktool.new/file")), "");
  },
});

Deno.test({
  name: "another project uses a clone by the links that the docs show",
  ignore: !isUnix,
  fn: async () => {
    using scratch = new Scratch();
    const docs = Deno.readTextFileSync(`${ROOT}/docs/install.md`);
    const [, config] = /```json\n(\{\n {2}"links"[\s\S]*?)```/.exec(docs)!;
    scratch.write("deno.json", config!.replaceAll("../socktool", ROOT));
    scratch.write(
      "main.ts",
      `import { connectRequests, serveRequests } from "@socktool/socktool";
      import { FrameDecoder } from "@socktool/socktool/frame";
      await using server = await serveRequests("127.0.0.1:0", (request) => request.text() + "!");
      await using client = await connectRequests(server.address);
      console.log((await client.request("hello")).text(), typeof FrameDecoder);`,
    );
    const { code, out, err } = await runTool(Deno.execPath(), ["run", "-A", "main.ts"], {
      cwd: scratch.path,
    });
    assertEquals([code, out], [0, "hello! function\n"], err);
  },
});
