/**
 * Makes the npm package: `deno task npm`. It has what runs without Deno: the codec and the clients.
 *
 * @module
 */
import { formatBytes } from "../cmd/_cli/mod.ts";
import { program } from "../cmd/program.ts";
import { packageFiles } from "./npm/package_files.ts";
import { tarGz } from "./pack/archive.ts";
import { runScript, say } from "./pack/script.ts";
import { writeWhole } from "./pack/write_whole.ts";

if (import.meta.main) {
  await runScript({
    task: "npm",
    about: "Makes the npm package, with what runs on Node.js, Bun and in browsers.",
    flags: {
      output: { type: "path", hint: "folder", default: "dist", help: "where to" },
    },
    async run({ output }) {
      const files = await packageFiles();
      // npm takes what is in a folder of this name.
      const inFolder = files.map((file) => ({ ...file, name: `package/${file.name}` }));
      const packed = tarGz(inFolder, 9);
      const path = `${output}/socktool-socktool-${program.version}.tgz`;
      await Deno.mkdir(output, { recursive: true });
      await writeWhole(path, packed);
      say(`${path}  ${formatBytes(packed.length)}, ${files.length} files`);
    },
    notes: [
      "The file is what npm publishes: npm publish dist/socktool-socktool-VERSION.tgz",
    ],
  });
}
