/**
 * Makes what package managers install a release by, from its archives: `deno task packages`. These
 * are the Debian packages, Homebrew's formula and Scoop's manifest.
 *
 * @module
 */
import { formatBytes } from "../cmd/_cli/mod.ts";
import { program } from "../cmd/program.ts";
import { debianFile, debianPackage } from "./pack/debian.ts";
import { homebrewFormula, readSums, scoopManifest } from "./pack/formulas.ts";
import { runScript, say } from "./pack/script.ts";
import { programFile, TARGETS } from "./pack/targets.ts";
import { writeWhole } from "./pack/write_whole.ts";

if (import.meta.main) {
  await runScript({
    task: "packages",
    about: "Makes the Debian packages, Homebrew's formula and Scoop's manifest of a release.",
    flags: {
      dist: {
        type: "path",
        hint: "folder",
        default: "dist",
        help: "where `deno task compile --all` put its archives and folders",
      },
      deb: {
        type: "path",
        hint: "file",
        placeholder: "PROGRAM",
        help: "only a Debian package, for this system, of this program",
      },
      level: { type: "integer", min: 1, max: 9, default: "9", help: "how hard to compress" },
    },
    async run({ dist, deb, level }) {
      const { version } = program;
      const write = async (name: string, bytes: Uint8Array) => {
        await writeWhole(`${dist}/${name}`, bytes);
        say(`${dist}/${name}  ${formatBytes(bytes.length)}`);
      };
      const targets = TARGETS.filter(({ triple, kernel }) =>
        deb === undefined ? kernel === "Linux" : triple === Deno.build.target
      );
      await Deno.mkdir(dist, { recursive: true });
      for (const target of targets) {
        const built = `${dist}/socktool-${target.triple}/${programFile(target)}`;
        const bytes = await Deno.readFile(deb ?? built);
        await write(
          debianFile(version, target),
          await debianPackage(bytes, version, target, level),
        );
      }
      if (deb !== undefined) return;
      const sums = readSums(await Deno.readTextFile(`${dist}/SHA256SUMS`));
      await write("socktool.rb", new TextEncoder().encode(homebrewFormula(version, sums)));
      await write("socktool.json", new TextEncoder().encode(scoopManifest(version, sums)));
    },
  });
}
