/**
 * Makes the program as one file for Linux or macOS: `deno task portable`. Unlike `deno task compile`
 * it does not need Deno's runtime base. The file is a shell script, followed by a compressed archive
 * of the bundled program and a `deno` executable.
 *
 * @module
 */
import { concat } from "@std/bytes";
import { dirname } from "node:path";
import { formatBytes } from "../cmd/_cli/mod.ts";
import { program } from "../cmd/program.ts";
import { sha256, tarGz } from "./pack/archive.ts";
import { type Bundle, bundle } from "./pack/bundle.ts";
import { moduleGraph } from "./pack/module_graph.ts";
import { ROOT } from "./pack/paths.ts";
import { permissionFlags, readableVariables } from "./pack/permissions.ts";
import { runScript, say } from "./pack/script.ts";
import type { ArchivedFile } from "./pack/tar.ts";
import { type Target, targetOf, TARGETS } from "./pack/targets.ts";
import { writeWhole } from "./pack/write_whole.ts";

const ENTRY = "cmd/socktool.ts";
const HEAD = `${ROOT}/scripts/portable_head.sh`;
const PRELOAD = "portable_preload.js";
/** Variables that the shell script sets for the runtime. The program removes them. */
const RUNTIME_VARIABLES = [
  "DENO_DIR",
  "DENO_DISABLE_NODE_SHIM",
  "DENO_NO_PACKAGE_JSON",
  "DENO_NO_UPDATE_CHECK",
  "MALLOC_MMAP_THRESHOLD_",
  "MALLOC_TRIM_THRESHOLD_",
  "SOCKTOOL_PORTABLE",
];

const UNIX_TARGETS = TARGETS.filter(({ kernel }) => kernel !== undefined);

/** How a portable file is made. */
export interface PortableOptions {
  readonly target: Target;
  /** The `deno` executable for that target. */
  readonly deno: string;
  /** The level of gzip, from 1 (fast) to 9 (small); 0 does not compress. */
  readonly level: number;
}

/** Makes the file, with the program of this checkout. @returns its bytes. */
export async function portable(options: PortableOptions): Promise<Uint8Array<ArrayBuffer>> {
  return await portableOf(await bundle(ENTRY, await moduleGraph(ENTRY)), options);
}

/** Makes the file of a program that was bundled. @returns its bytes. */
export async function portableOf(
  app: Bundle,
  options: PortableOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const { target, deno, level } = options;
  const files: ArchivedFile[] = [
    { name: "deno", bytes: await Deno.readFile(deno), executable: true },
    ...app.files,
    { name: PRELOAD, bytes: await Deno.readFile(`${ROOT}/scripts/${PRELOAD}`) },
    { name: "LICENSE", bytes: await Deno.readFile(`${ROOT}/LICENSE`) },
  ];
  const archive = tarGz(files, level);
  const key = `${program.version}-${(await sha256(archive)).slice(0, 16)}`;
  const unpackedBytes = files.reduce((sum, { bytes }) => sum + bytes.length, 0);
  const head = await headOf(app, target, {
    VERSION: program.version,
    TRIPLE: target.triple,
    KEY: key,
    FILES: files.filter(({ name }) => name !== "deno").map(({ name }) => name).join(" "),
    MAIN: app.main,
    PRELOAD,
    NEEDED: formatBytes(unpackedBytes),
    SYSTEMS: target.machines.map((machine) => `${target.kernel}/${machine}`).join(" | "),
  }, archive.length);
  return concat([head, archive]);
}

/** The shell script, with its own size and the file's size filled in. */
async function headOf(
  app: Bundle,
  target: Target,
  values: Readonly<Record<string, string>>,
  archiveBytes: number,
): Promise<Uint8Array> {
  const unsafe = app.files.find(({ name }) => !/^[\w./-]+$/.test(name));
  if (unsafe !== undefined) throw new Error(`A shell would take ${unsafe.name} apart`);
  const permissions = (await permissionFlags(program, target))
    .filter((flag) => !flag.startsWith("--allow-env"));
  const variables = [...await readableVariables(program), ...RUNTIME_VARIABLES].join(",");
  const template = await Deno.readTextFile(HEAD);
  const fill = (sizes: Readonly<Record<string, string>>) =>
    new TextEncoder().encode(
      template.replace(/@([A-Z_]+)@/g, (_, name: string) => {
        const value = { ...values, ...sizes }[name];
        if (value === undefined) throw new Error(`${HEAD} has @${name}@, which has no value`);
        return value;
      }),
    );
  const common = { PERMISSIONS: [...permissions, `--allow-env=${variables}`].join(" ") };
  // Padded with blanks, so that the script's size does not depend on the numbers in it.
  const size = (bytes: number) => String(bytes).padEnd(12);
  const { length } = fill({ ...common, HEAD_BYTES: size(0), FILE_BYTES: size(0) });
  return fill({ ...common, HEAD_BYTES: size(length), FILE_BYTES: size(length + archiveBytes) });
}

if (import.meta.main) {
  await runScript({
    task: "portable",
    about: "Makes the program as one file that needs nothing but a shell, for Linux or macOS.",
    flags: {
      output: {
        type: "path",
        hint: "file",
        placeholder: "FILE",
        help: "where to; dist/socktool-TARGET-portable otherwise",
      },
      deno: {
        type: "path",
        hint: "file",
        placeholder: "FILE",
        requires: ["target"],
        help: "the deno executable to put in, if not the one that runs here",
      },
      target: {
        type: "choice",
        choices: UNIX_TARGETS.map(({ triple }) => triple),
        placeholder: "TARGET",
        requires: ["deno"],
        help: `the system of --deno: ${UNIX_TARGETS.map(({ triple }) => triple).join(", ")}`,
      },
      level: {
        type: "integer",
        min: 1,
        max: 9,
        default: "9",
        help: "how hard gzip tries, from 1, fast, to 9, small",
      },
    },
    async run({ output, deno = Deno.execPath(), target: triple = Deno.build.target, level }) {
      const target = targetOf(triple);
      if (target.kernel === undefined) {
        throw new Error("A portable file is a shell script, which Windows does not run");
      }
      const path = output ?? `dist/socktool-${target.triple}-portable`;
      const bytes = await portable({ target, deno, level });
      await Deno.mkdir(dirname(path), { recursive: true });
      await writeWhole(path, bytes, 0o755);
      say(`${path}  ${formatBytes(bytes.length)}`);
    },
  });
}
