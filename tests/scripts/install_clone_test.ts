/**
 * `deno task install --launcher`, and importing a clone, in a home where nothing is. What `deno task
 * install` puts there as one file is tried with all commands in portable_roles_test.ts.
 */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../scripts/pack/paths.ts";
import { Scratch } from "../support/scratch.ts";
import { runTool } from "../support/tools.ts";
import { assertInstalled, assertStarts, install } from "./install_clone.ts";

const isUnix = Deno.build.os !== "windows";

Deno.test({
  name: "install --launcher puts a program that runs into ~/.local/bin",
  ignore: !isUnix,
  fn: async () => {
    using scratch = new Scratch();
    assertInstalled(scratch.path, await install(scratch.path, "--launcher"));
    await assertStarts(scratch.path);
  },
});

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
