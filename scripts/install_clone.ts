/**
 * Installs the program from this checkout for the user who runs it: `deno task install`.
 *
 * @module
 */
import { join } from "node:path";
import { program } from "../cmd/program.ts";
import { fromFileUrl, ROOT } from "./pack/paths.ts";
import { permissionFlags } from "./pack/permissions.ts";
import { runScript, say } from "./pack/script.ts";
import { type Target, targetOf } from "./pack/targets.ts";
import { removeIfThere, writeWhole } from "./pack/write_whole.ts";
import { portable } from "./portable.ts";

/** Quick to make; what is saved by more is less than what the runtime takes. */
const GZIP_LEVEL = 1;

const isWindows = Deno.build.os === "windows";

/** The whole program as a file; it runs without the checkout, and without Deno. */
async function portableProgram(target: Target): Promise<Uint8Array<ArrayBuffer>> {
  return await portable({ target, deno: Deno.execPath(), level: GZIP_LEVEL });
}

/** A script that runs the checkout as it is at each start, by the Deno that runs this. */
async function launcher(target: Target): Promise<Uint8Array<ArrayBuffer>> {
  const words = [
    Deno.execPath(),
    "run",
    "--config",
    join(ROOT, "deno.json"),
    ...await permissionFlags(program, target),
    fromFileUrl(new URL("../cmd/socktool.ts", import.meta.url)),
  ];
  const script = isWindows
    ? `@"${words.join('" "')}" %*\r\n`
    : `#!/bin/sh\nexec ${words.map(quoted).join(" ")} "$@"\n`;
  return new TextEncoder().encode(script);
}

function quoted(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`;
}

/** Where programs of a user are. */
function userFolder(): string {
  const home = Deno.env.get(isWindows ? "USERPROFILE" : "HOME");
  if (home === undefined) throw new Error("Cannot find the home folder: name a folder by --to");
  return join(home, ".local", "bin");
}

/** Runs a program once. @throws {Error} if it does not start. */
async function tryOut(path: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(path, { args: ["--version"] })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`The new program does not start: ${text(stderr)}`);
  return text(stdout);
}

if (import.meta.main) {
  await runScript({
    task: "install",
    about:
      "Installs the program from this checkout: as one file, or with --launcher to run it here.",
    flags: {
      to: {
        type: "path",
        hint: "folder",
        placeholder: "FOLDER",
        help: "where to; ~/.local/bin otherwise",
      },
      launcher: {
        type: "boolean",
        help: "install a script that runs this checkout as it is then; on Windows always",
      },
    },
    async run({ to, launcher: isLauncher }) {
      const folder = to ?? userFolder();
      const target = targetOf(Deno.build.target);
      const isPortable = !isLauncher && target.kernel !== undefined;
      const bytes = await (isPortable ? portableProgram(target) : launcher(target));
      await Deno.mkdir(folder, { recursive: true });
      const path = join(folder, isWindows ? "socktool.cmd" : "socktool");
      // The old one stays until the new one has started.
      const fresh = join(folder, isWindows ? "socktool.new.cmd" : "socktool.new");
      await writeWhole(fresh, bytes, 0o755);
      try {
        const version = await tryOut(fresh);
        await Deno.rename(fresh, path);
        say(`installed ${version} as ${path}`);
      } catch (error) {
        await removeIfThere(fresh);
        throw error;
      }
      const onPath = (Deno.env.get("PATH") ?? "").split(isWindows ? ";" : ":");
      if (!onPath.includes(folder)) say(`${folder} is not in PATH: add it there`);
    },
  });
}
