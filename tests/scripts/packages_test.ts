/** What package managers install a release by. */
import { assert, assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { homebrewFormula, readSums, scoopManifest } from "../../scripts/pack/formulas.ts";
import { archiveFile, TARGETS } from "../../scripts/pack/targets.ts";
import { program } from "../../cmd/program.ts";
import { ROOT } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled, runTool } from "../support/tools.ts";
import { smallPortableFile } from "./portable_file.ts";

const SUMS = TARGETS.map((target, i) => `${String(i).repeat(64)}  ${archiveFile(target)}\n`).join(
  "",
);

Deno.test({
  name: "dpkg installs the Debian package, verifies it, and removes all of it",
  ignore: Deno.build.os !== "linux" || !isInstalled("dpkg", "the Debian package"),
  async fn() {
    using scratch = new Scratch();
    const portable = (await smallPortableFile()).path;
    const make = ["run", "-A", `${ROOT}scripts/packages.ts`, "--deb", portable];
    const made = await runTool(
      Deno.execPath(),
      [...make, "--dist", scratch.at("dist"), "--level", "1"],
      { cwd: ROOT },
    );
    assertEquals(made.code, 0, made.err);
    const [deb] = [...Deno.readDirSync(scratch.at("dist"))].map(({ name }) => name);
    assert(/^socktool_\d+\.\d+\.\d+_(amd64|arm64)\.deb$/.test(deb!), deb);

    // A system of its own: nothing of this one is touched, and nothing is installed there yet.
    const root = scratch.at("root");
    for (const folder of ["updates", "info"]) {
      Deno.mkdirSync(`${root}/var/lib/dpkg/${folder}`, { recursive: true });
    }
    Deno.writeTextFileSync(`${root}/var/lib/dpkg/status`, "");
    const dpkg = (...words: string[]) =>
      runTool("dpkg", [
        `--root=${root}`,
        `--log=${scratch.at("log")}`,
        "--force-depends,not-root,script-chrootless",
        ...words,
      ], { env: { PATH: `${Deno.env.get("PATH")}:/usr/sbin:/sbin` } });
    const installed = await dpkg("--install", `${scratch.at("dist")}/${deb}`);
    assertEquals(installed.code, 0, installed.err);
    const usr = `${root}/usr`;
    assertEquals(Deno.readFileSync(`${usr}/bin/socktool`), Deno.readFileSync(portable));
    assert((Deno.statSync(`${usr}/bin/socktool`).mode! & 0o777) === 0o755);
    for (
      const [file, has] of [
        ["share/bash-completion/completions/socktool", "complete"],
        ["share/zsh/vendor-completions/_socktool", "#compdef"],
        ["share/fish/vendor_completions.d/socktool.fish", "complete"],
        ["share/doc/socktool/copyright", "MIT License"],
      ] as const
    ) assertStringIncludes(Deno.readTextFileSync(`${usr}/${file}`), has);
    const verified = await dpkg("--verify", "socktool");
    assertEquals([verified.code, verified.out], [0, ""], verified.err);
    const told = await dpkg("--status", "socktool");
    assertStringIncludes(told.out, `Version: ${program.version}\n`);
    Deno.writeTextFileSync(`${usr}/share/doc/socktool/copyright`, "changed");
    assertStringIncludes((await dpkg("--verify", "socktool")).out, "copyright");
    assertEquals((await dpkg("--remove", "socktool")).code, 0);
    assertEquals([...Deno.readDirSync(root)].map(({ name }) => name), ["var"]);
  },
});

Deno.test("Homebrew's formula has the archive of each of its systems, with its sum", async () => {
  const formula = homebrewFormula("1.2.3", readSums(SUMS));
  const pairs = [...formula.matchAll(/url "(\S+)"\n\s+sha256 "(\w+)"/g)];
  const expected = TARGETS.flatMap((target, i) =>
    target.kernel === undefined ? [] : [
      [`releases/download/v1.2.3/${archiveFile(target)}`, String(i).repeat(64)],
    ]
  );
  const found = pairs.map(([, url, sum]) => [url!.replace(/^.*?releases/, "releases"), sum!]);
  assertEquals(found.sort(), expected.sort());
  if (!isInstalled("ruby", "the syntax of Homebrew's formula")) return;
  const { code, err } = await runTool("ruby", ["-c"], { stdin: formula });
  assertEquals(code, 0, err);
});

Deno.test("Scoop's manifest has the archives of Windows, with their sums", () => {
  const { version, architecture } = JSON.parse(scoopManifest("1.2.3", readSums(SUMS)));
  assertEquals(version, "1.2.3");
  for (const [name, triple] of [["64bit", "x86_64"], ["arm64", "aarch64"]] as const) {
    const file = `socktool-${triple}-pc-windows-msvc`;
    const index = TARGETS.findIndex((target) => archiveFile(target) === `${file}.zip`);
    assert(architecture[name].url.endsWith(`/v1.2.3/${file}.zip`));
    assertEquals(architecture[name].hash, String(index).repeat(64));
    assertEquals(architecture[name].extract_dir, file);
  }
});

Deno.test("an archive that is not among the sums is named", () => {
  const sums = readSums(SUMS.split("\n").slice(1).join("\n"));
  assertThrows(() => homebrewFormula("1.2.3", sums), RangeError, archiveFile(TARGETS[0]!));
});
