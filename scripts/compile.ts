/**
 * Makes the archives of a release: `deno task compile`. Each has the program as one executable, the
 * licence and the manual page. `SHA256SUMS` beside them has their checksums.
 *
 * @module
 */
import { formatBytes, UsageError } from "../cmd/_cli/mod.ts";
import { program } from "../cmd/program.ts";
import { releaseArchive, sha256 } from "./pack/archive.ts";
import { denoCompile, notEmbedded } from "./pack/deno_compile.ts";
import { manualPage } from "./pack/documents.ts";
import { type ModuleGraph, moduleGraph } from "./pack/module_graph.ts";
import { ROOT } from "./pack/paths.ts";
import { permissionFlags } from "./pack/permissions.ts";
import { runScript, say } from "./pack/script.ts";
import type { ArchivedFile } from "./pack/tar.ts";
import { archiveFile, programFile, type Target, targetOf, TARGETS } from "./pack/targets.ts";
import { removeIfThere, writeWhole } from "./pack/write_whole.ts";

const ENTRY = "cmd/socktool.ts";

/** What an archive has besides the program. */
async function documents(): Promise<ArchivedFile[]> {
  return [
    { name: "socktool.1", bytes: await manualPage() },
    { name: "LICENSE", bytes: await Deno.readFile(`${ROOT}/LICENSE`) },
  ];
}

/** How archives are made. */
interface ReleaseOptions {
  readonly folder: string;
  readonly graph: ModuleGraph;
  readonly check: boolean;
  readonly level: number;
}

/** Makes one target's folder and archive. @returns the archive's line of `SHA256SUMS`. */
async function release(target: Target, options: ReleaseOptions): Promise<string> {
  const { folder, graph, check, level } = options;
  const name = programFile(target);
  const unpacked = `${folder}/socktool-${target.triple}`;
  // A run that fails must not leave old files that look like its result.
  await removeIfThere(unpacked);
  const output = `${unpacked}/${name}`;
  const permissions = await permissionFlags(program, target);
  const embedded = await denoCompile({ entry: ENTRY, target, output, graph, permissions, check });
  const missing = notEmbedded(graph, embedded);
  if (missing.length > 0) {
    throw new Error(`deno compile does not list these as packed: ${missing.join(", ")}`);
  }
  const others = await documents();
  for (const file of others) await Deno.writeFile(`${unpacked}/${file.name}`, file.bytes);
  const executable = await Deno.readFile(output);
  const archive = releaseArchive(target, [
    { name, bytes: executable, executable: true },
    ...others,
  ], level);
  const file = archiveFile(target);
  await writeWhole(`${folder}/${file}`, archive);
  say(`${file}  ${formatBytes(archive.length)}, unpacked ${formatBytes(executable.length)}`);
  return `${await sha256(archive)}  ${file}\n`;
}

if (import.meta.main) {
  await runScript({
    task: "compile",
    about: "Makes an archive with the program as one executable, for this system or others.",
    flags: {
      target: {
        type: "choice",
        choices: TARGETS.map(({ triple }) => triple),
        repeat: true,
        placeholder: "TARGET",
        help: `another system: ${TARGETS.map(({ triple }) => triple).join(", ")}`,
      },
      all: { type: "boolean", conflicts: ["target"], help: "all of these systems" },
      output: { type: "path", hint: "folder", default: "dist", help: "where to" },
      level: {
        type: "integer",
        min: 1,
        max: 9,
        default: "9",
        help: "how hard to compress, from 1, fast, to 9, small",
      },
      check: { type: "boolean", default: true, help: "do not check types first" },
    },
    async run({ target, all, output: folder, level, check }) {
      const own = target.length > 0 ? target : [Deno.build.target];
      const targets = all ? TARGETS : own.map(targetOf);
      if (targets.length > 1 && Deno.env.get("DENORT_BIN") !== undefined) {
        throw new UsageError(
          `DENORT_BIN names the runtime base of one system, but ${targets.length} were asked for`,
        );
      }
      const graph = await moduleGraph(ENTRY);
      const sums: string[] = [];
      await removeIfThere(`${folder}/SHA256SUMS`);
      for (const each of targets) {
        try {
          sums.push(await release(each, { folder, graph, check, level }));
        } catch (error) {
          await removeIfThere(`${folder}/socktool-${each.triple}`);
          throw error;
        }
      }
      await Deno.writeTextFile(`${folder}/SHA256SUMS`, sums.join(""));
      say(`${folder}/SHA256SUMS  ${sums.length === 1 ? "1 file" : `${sums.length} files`}`);
    },
  });
}
