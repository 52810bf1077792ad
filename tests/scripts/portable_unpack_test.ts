import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { Scratch } from "../support/scratch.ts";
import { runTool } from "../support/tools.ts";
import { writeProgram } from "../support/write_program.ts";
import { namesIn } from "./portable_place.ts";
import { linkedPortableFile, runsPortableFiles, start, SYSTEM_PATH } from "./portable_file.ts";

const VERSION = `socktool ${config.version}\n`;
const OK = { code: 0, out: VERSION, err: "" };

const SLEEP = "/bin/sleep";

/** A test with the file, and a folder of its own. */
function test(name: string, body: (path: string, scratch: Scratch) => Promise<void>): void {
  Deno.test(name, async () => {
    if (!runsPortableFiles) return;
    using scratch = new Scratch();
    await body((await linkedPortableFile()).path, scratch);
  });
}

test(
  "the portable file starts with an empty environment, several at once",
  async (path, scratch) => {
    const env = { SOCKTOOL_CACHE: scratch.at("cache") };
    const starts = [1, 2, 3].map(() => start(path, ["--version"], env));
    assertEquals(await Promise.all(starts), [OK, OK, OK]);
    const [folder, ...others] = namesIn(scratch.at("cache"));
    assertEquals(others, []);
    assert(/^\d+\.\d+\.\d+-[0-9a-f]{16}$/.test(folder!), folder);
    assertEquals(namesIn(scratch.at(`cache/${folder}`)).filter((name) => name.startsWith(".")), []);
    // The next start unpacks nothing: what is there stays.
    const program = scratch.at(`cache/${folder}/deno`);
    const before = Deno.statSync(program).ino;
    assertEquals(await start(path, ["--version"], env), OK);
    assertEquals(Deno.statSync(program).ino, before);
    // A file that is gone, though, is noticed.
    Deno.removeSync(scratch.at(`cache/${folder}/LICENSE`));
    assertEquals(await start(path, ["--version"], env), OK);
    assert(namesIn(scratch.at(`cache/${folder}`)).includes("LICENSE"));
    assertEquals(namesIn(scratch.at("cache")), [folder]);
  },
);

test(
  "unpacking removes what other versions left that nobody runs, and nothing else",
  async (path, scratch) => {
    const env = { SOCKTOOL_CACHE: scratch.at("cache") };
    assertEquals(await start(path, ["--version"], env), OK);
    const [key] = namesIn(scratch.at("cache"));
    const longAgo = Date.now() / 1_000 - 8 * 86_400;
    const plant = (version: string, usedAt: number) => {
      const name = `${version}-0123456789abcdef`;
      Deno.mkdirSync(scratch.at(`cache/${name}`), { mode: 0o700 });
      const program = scratch.at(`cache/${name}/deno`);
      // One that can run for a while: the file itself is the program of its process.
      writeProgram(program, Deno.readFileSync(SLEEP));
      Deno.utimeSync(program, usedAt, usedAt);
      return { name, program };
    };
    plant("0.0.1", longAgo);
    const fresh = plant("0.0.2", Date.now() / 1_000);
    const used = plant("0.0.3", longAgo);
    Deno.mkdirSync(scratch.at("cache/of somebody else"));
    const running = new Deno.Command(used.program, { args: ["60"] }).spawn();
    Deno.utimeSync(used.program, longAgo, longAgo);
    Deno.removeSync(scratch.at(`cache/${key}/LICENSE`));
    assertEquals(await start(path, ["--version"], env), OK);
    running.kill("SIGKILL");
    await running.status;
    const kept = [fresh.name, used.name, key, "of somebody else"];
    assertEquals(namesIn(scratch.at("cache")).sort(), kept.sort());
  },
);

test("the portable file unpacks into the user's cache folder", async (path, scratch) => {
  const home = scratch.at("home");
  assertEquals(await start(path, ["--version"], { HOME: home, TMPDIR: scratch.at("t") }), OK);
  assertEquals(namesIn(`${home}/.cache/socktool`).length, 1);
  // Nothing of a project around it counts.
  for (const name of ["deno.json", "package.json"]) Deno.writeTextFileSync(`${home}/${name}`, "{{");
  assertEquals(await start(path, ["--version"], { HOME: home }), OK);
});

test(
  "it starts again, and its cache stays private, where there is no Node.js",
  async (path, scratch) => {
    const tools = scratch.at("tools");
    Deno.mkdirSync(tools);
    const folders = new Map(
      SYSTEM_PATH.split(":").flatMap((folder) => namesIn(folder).map((name) => [name, folder])),
    );
    folders.delete("node");
    for (const [name, folder] of folders) Deno.symlinkSync(`${folder}/${name}`, `${tools}/${name}`);
    const env = { PATH: tools, SOCKTOOL_CACHE: scratch.at("cache") };
    for (let i = 0; i < 2; i++) assertEquals(await start(path, ["--version"], env), OK);
  },
);

test("where the cache cannot be written it falls back to TMPDIR", async (path, scratch) => {
  const env = { XDG_CACHE_HOME: "/dev/null/cache", TMPDIR: scratch.path };
  assertEquals(await start(path, ["--version"], env), OK);
  const [folder] = namesIn(scratch.path);
  assert(/^socktool-\d+$/.test(folder!), folder);
  assertEquals(Deno.statSync(scratch.at(folder!)).mode! & 0o777, 0o700);
});

test("a home that is no path from the root leads nowhere certain", async (path, scratch) => {
  const env = { HOME: "home", TMPDIR: scratch.path };
  assertEquals(await start(path, ["--version"], env), OK);
  assertEquals(namesIn(scratch.path).length, 1);
});

test("where nothing can be written it says how to point it elsewhere", async (path) => {
  const asked = await start(path, ["--version"], { SOCKTOOL_CACHE: "/dev/null/cache" });
  assertEquals([asked.code, asked.out], [1, ""]);
  assertStringIncludes(asked.err, "SOCKTOOL_CACHE=FOLDER names another place for it");
  assertStringIncludes(asked.err, "/dev/null/cache: ");
  const env = { HOME: "/dev/null/home", TMPDIR: "/dev/null/tmp" };
  const { code, err } = await start(path, ["--version"], env);
  assertEquals(code, 1);
  for (const folder of ["/dev/null/home/.cache/socktool: ", "/dev/null/tmp/socktool-"]) {
    assertStringIncludes(err, folder);
  }
});

test(
  "where there is no room it says how much is needed, and leaves nothing",
  async (path, scratch) => {
    const env = { PATH: SYSTEM_PATH, SOCKTOOL_CACHE: scratch.at("cache") };
    // A limit on the size of files stands in for a full disk.
    const { code, err } = await runTool(
      "sh",
      ["-c", 'ulimit -f 2000; exec "$0" --version', path],
      {
        clearEnv: true,
        env,
      },
    );
    assertEquals(code, 1, err);
    assert(/unpacking failed; it takes [\d.]+ MiB of space \(/.test(err), err);
    assertEquals(namesIn(scratch.at("cache")), []);
  },
);

test("a file that came only in part, or changed on the way, says so", async (_, scratch) => {
  const { bytes } = await linkedPortableFile();
  const broken = async (name: string, content: Uint8Array): Promise<string> => {
    const path = scratch.at(name);
    writeProgram(path, content);
    const { code, out, err } = await start(path, ["--version"], {
      SOCKTOOL_CACHE: scratch.at("cache"),
    });
    assert(code !== 0 && out === "", `${code} ${out}`);
    return err;
  };
  const part = bytes.subarray(0, bytes.length - 1);
  assertStringIncludes(
    await broken("part", part),
    `part is incomplete: it has ${part.length} of ${bytes.length} bytes`,
  );
  // Not even the script is whole: the shell itself complains.
  assertStringIncludes(await broken("little", bytes.subarray(0, 2_000)), "little");
  const changed = bytes.slice();
  changed[bytes.length >> 1]! ^= 0xff;
  assertStringIncludes(await broken("changed", changed), "this file is damaged");
  assertEquals(namesIn(scratch.at("cache")), []);
});

test("a file for another system says so", async (path, scratch) => {
  Deno.mkdirSync(scratch.at("bin"));
  writeProgram(scratch.at("bin/uname"), "#!/bin/sh\n[ $1 = -s ] && echo Plan9 || echo pdp11\n");
  const { code, err } = await start(path, ["--version"], {
    PATH: `${scratch.at("bin")}:${SYSTEM_PATH}`,
    SOCKTOOL_CACHE: scratch.at("cache"),
  });
  assertEquals(code, 1);
  assertStringIncludes(err, `for ${Deno.build.target}, but this system is Plan9 on pdp11`);
});
