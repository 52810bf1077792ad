import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../scripts/pack/paths.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled, runTool, type ToolOutput } from "../support/tools.ts";
import { writeProgram } from "../support/write_program.ts";
import { ReleaseServer } from "./release_server.ts";

const isUnix = Deno.build.os !== "windows";
const hasDownloader = isUnix && isInstalled("curl", "install.sh");
const hasWget = isUnix && isInstalled("wget", "install.sh with wget");
const hasPowershell = isInstalled("pwsh", "install.ps1");

function install(
  server: ReleaseServer,
  scratch: Scratch,
  args: readonly string[] = [],
  env: Record<string, string> = {},
): Promise<ToolOutput> {
  return runTool("sh", [`${ROOT}/scripts/install.sh`, ...args], {
    clearEnv: true,
    env: {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: scratch.path,
      SOCKTOOL_BASE_URL: server.url,
      ...env,
    },
  });
}

/** A PATH on which some of the system's tools are and others are not. */
function pathWithout(scratch: Scratch, ...missing: string[]): string {
  const folder = scratch.at("tools");
  Deno.mkdirSync(folder);
  for (const system of ["/usr/bin", "/bin"]) {
    for (const { name } of Deno.readDirSync(system)) {
      if (missing.includes(name)) continue;
      try {
        Deno.symlinkSync(`${system}/${name}`, `${folder}/${name}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      }
    }
  }
  return folder;
}

Deno.test("install.sh installs the latest release and its man page", async () => {
  if (!hasDownloader) return;
  using scratch = new Scratch();
  await using server = await ReleaseServer.start();
  const { code, err } = await install(server, scratch);
  assertEquals(code, 0, err);
  const program = scratch.at(".local/bin/socktool");
  assertStringIncludes(err, `installed socktool 1.2.3 as ${program}`);
  assertStringIncludes(err, `${scratch.at(".local/bin")} is not in PATH`);
  assertEquals((await runTool(program, [])).out, "socktool 1.2.3\n");
  assertEquals(
    Deno.readTextFileSync(scratch.at(".local/share/man/man1/socktool.1")),
    ".TH SOCKTOOL 1\n",
  );
  assert(server.asked.every((path) => path.startsWith("/releases/latest/download/")));
  assertEquals([...Deno.readDirSync(scratch.at(".local/bin"))].map(({ name }) => name), [
    "socktool",
  ]);
});

Deno.test("install.sh installs a version that is named, where it is told to", async () => {
  if (!hasDownloader) return;
  using scratch = new Scratch();
  await using server = await ReleaseServer.start();
  const folder = scratch.at("my programs");
  const { code, err } = await install(server, scratch, ["1.2.3"], {
    SOCKTOOL_INSTALL_DIR: folder,
  });
  assertEquals(code, 0, err);
  assert(Deno.statSync(`${folder}/socktool`).isFile);
  assert(server.asked.every((path) => path.startsWith("/releases/download/v1.2.3/")));
  const missing = await install(server, scratch, ["9.9.9"], { SOCKTOOL_INSTALL_DIR: folder });
  assertEquals(missing.code, 1);
  assertStringIncludes(missing.err, "cannot download");
  assertStringIncludes(missing.err, "/download/v9.9.9/SHA256SUMS");
});

Deno.test("install.sh installs nothing that is not what the release lists", async () => {
  if (!hasDownloader) return;
  using scratch = new Scratch();
  await using server = await ReleaseServer.start((archive) => archive[40]! ^= 1);
  Deno.mkdirSync(scratch.at(".local/bin"), { recursive: true });
  scratch.write(".local/bin/socktool", "the old one");
  const { code, err } = await install(server, scratch);
  assertEquals(code, 1);
  assertStringIncludes(err, "is not what the release lists, nothing was installed");
  assertEquals(Deno.readTextFileSync(scratch.at(".local/bin/socktool")), "the old one");
  await using unlisted = await ReleaseServer.start(undefined, "socktool-other.tar.gz");
  assertStringIncludes((await install(unlisted, scratch)).err, "does not list socktool-");
});

Deno.test("install.sh does with wget and openssl where there is nothing else", async () => {
  if (!hasWget || !isInstalled("openssl", "install.sh with openssl")) return;
  using scratch = new Scratch();
  const env = { PATH: pathWithout(scratch, "curl", "sha256sum", "shasum") };
  await using server = await ReleaseServer.start();
  const { code, err } = await install(server, scratch, [], env);
  assertEquals(code, 0, err);
  await using tampered = await ReleaseServer.start((archive) => archive[40]! ^= 1);
  assertStringIncludes((await install(tampered, scratch, [], env)).err, "nothing was installed");
});

Deno.test("install.sh says what it lacks", async () => {
  if (!hasDownloader) return;
  using scratch = new Scratch();
  await using server = await ReleaseServer.start();
  const tools = pathWithout(scratch, "curl", "wget", "uname");
  const systems: [string, string][] = [
    ["Linux", "there is no release for Linux on mips"],
    ["FreeBSD", "there is no release for FreeBSD on mips"],
  ];
  for (const [kernel, expected] of systems) {
    writeProgram(`${tools}/uname`, `#!/bin/sh\n[ $1 = -s ] && echo ${kernel} || echo mips\n`);
    const { code, err } = await install(server, scratch, [], { PATH: tools });
    assertEquals(code, 1);
    assertStringIncludes(err, expected);
  }
  Deno.removeSync(`${tools}/uname`);
  Deno.symlinkSync("/usr/bin/uname", `${tools}/uname`);
  const { err } = await install(server, scratch, [], { PATH: tools });
  assertStringIncludes(err, "curl or wget is needed");
  const refused = await install(server, scratch, ["newest"]);
  assertStringIncludes(refused.err, "newest is no version");
  const unwritable = await install(server, scratch, [], { SOCKTOOL_INSTALL_DIR: "/dev/null/bin" });
  assertEquals(unwritable.code, 1);
  assertStringIncludes(unwritable.err, "SOCKTOOL_INSTALL_DIR names another place");
});

Deno.test("install.sh keeps what runs when the new program does not run here", async () => {
  if (!hasDownloader) return;
  using scratch = new Scratch();
  Deno.mkdirSync(scratch.at(".local/bin"), { recursive: true });
  scratch.write(".local/bin/socktool", "the old one");
  await using server = await ReleaseServer.start(undefined, undefined, "#!/bin/sh\nexit 3\n");
  const { code, err } = await install(server, scratch);
  assertEquals(code, 1);
  assertStringIncludes(err, "the program does not run in");
  assertEquals(Deno.readTextFileSync(scratch.at(".local/bin/socktool")), "the old one");
});

Deno.test("install.sh goes by no name that others could know, nor where they replace files", async () => {
  if (!hasDownloader) return;
  using scratch = new Scratch();
  await using server = await ReleaseServer.start();
  const precious = scratch.write("precious", "kept");
  const folder = scratch.at("bin");
  Deno.mkdirSync(folder);
  Deno.chmodSync(folder, 0o1777);
  const env = { SOCKTOOL_INSTALL_DIR: folder };
  // The installer's process is the shell that makes the link.
  const line = `ln -s ${precious} ${folder}/.socktool.$$; exec sh ${ROOT}/scripts/install.sh`;
  const linked = await runTool("sh", ["-c", line], {
    env: { HOME: scratch.path, SOCKTOOL_BASE_URL: server.url, ...env },
  });
  assertEquals(linked.code, 0, linked.err);
  assertEquals(Deno.readTextFileSync(precious), "kept");
  Deno.chmodSync(folder, 0o777);
  const open = await install(server, scratch, [], env);
  assertEquals(open.code, 1);
  assertStringIncludes(open.err, `everybody can replace what is in ${folder}`);
  const downloads = await install(server, scratch, [], { TMPDIR: folder });
  assertEquals(downloads.code, 1);
  assertStringIncludes(downloads.err, "TMPDIR names another place");
  Deno.mkdirSync(scratch.at("taken/socktool"), { recursive: true });
  const taken = await install(server, scratch, [], { SOCKTOOL_INSTALL_DIR: scratch.at("taken") });
  assertEquals(taken.code, 1);
  assertStringIncludes(taken.err, "socktool is a folder");
  assertEquals([...Deno.readDirSync(scratch.at("taken"))].length, 1);
});

Deno.test("install.sh that came only in part does nothing", async () => {
  if (!hasDownloader) return;
  using scratch = new Scratch();
  await using server = await ReleaseServer.start();
  const script = Deno.readTextFileSync(`${ROOT}/scripts/install.sh`);
  for (const share of [0.3, 0.6, 0.9]) {
    await runTool("sh", [], {
      stdin: script.slice(0, Math.floor(script.length * share)),
      env: { HOME: scratch.path, SOCKTOOL_BASE_URL: server.url },
    });
  }
  assertEquals([...Deno.readDirSync(scratch.path)], []);
  assertEquals(server.asked, []);
});

Deno.test("install.ps1 installs what the release lists, and nothing else", async () => {
  if (!hasPowershell || isUnix) return;
  using scratch = new Scratch();
  await using server = await ReleaseServer.start((archive) => archive[40]! ^= 1);
  const { code, err } = await runTool("pwsh", ["-File", `${ROOT}/scripts/install.ps1`], {
    env: { SOCKTOOL_BASE_URL: server.url, SOCKTOOL_INSTALL_DIR: scratch.at("bin") },
  });
  assert(code !== 0 && err.includes("nothing was installed"), err);
});
