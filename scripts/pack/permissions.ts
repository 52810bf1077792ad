import type { FlagTable, Program } from "../../cmd/_cli/mod.ts";
import { MANAGER_VARIABLES } from "../../cmd/_cli/open_manager.ts";
import type { Target } from "./targets.ts";

/** Variables that the package `ws` reads when it is loaded; without leave it would fail. */
const OF_PACKAGES = ["WS_NO_BUFFER_UTIL", "WS_NO_UTF_8_VALIDATE"];

/** Says which authorities are trusted by default: read where `--tls-ca` names another one. */
const OF_TRUST = ["NODE_USE_SYSTEM_CA"];

/** Variables that say where the user's folders are, for `wireshark --install`. */
const OF_FOLDERS = ["APPDATA", "HOME"];

/**
 * The permissions of a packed program: the narrowest with which every role can still do what its
 * flags promise.
 *
 * - `net`: servers listen where the user says, clients connect where the user says.
 * - `read`: data to search, certificates and message files, which the user names. Unix sockets are
 *   files too.
 * - `write`: an index, reports, Unix sockets, and the temporary folder of an index without a name.
 * - `env`: the variables that flags can be set by, those that the package `ws` looks at, those that
 *   name the user's folders, and those by which a service manager says where it is.
 * - `run`: only the shell. It tells the limit of open files, and runs the command that answers
 *   requests.
 *
 * - `sys`: how much memory the machine has, for what servers may keep of it; and the authorities that
 *   are trusted by default, to which `proxy` and gateways add `--tls-ca`. Leave for these alone cannot
 *   be given by a flag.
 *
 * Nothing is asked at run time, no code is loaded from the network, and the rest (`ffi`) is not
 * given.
 */
export async function permissionFlags(program: Program, target: Target): Promise<string[]> {
  const variables = await readableVariables(program);
  const shell = target.kernel === undefined ? "cmd" : "/bin/sh";
  return [
    "--no-prompt",
    "--deny-import",
    "--allow-net",
    "--allow-read",
    "--allow-write",
    `--allow-run=${shell}`,
    "--allow-sys",
    `--allow-env=${variables.join(",")}`,
  ];
}

/** The environment variables that a packed program may read. */
export async function readableVariables(program: Program): Promise<string[]> {
  const ofFlags = await environmentOf(program);
  return [...ofFlags, ...OF_PACKAGES, ...OF_TRUST, ...OF_FOLDERS, ...MANAGER_VARIABLES].sort();
}

/** The environment variables that can set flags of a program's commands. */
export async function environmentOf(program: Program): Promise<string[]> {
  const commands = await Promise.all(program.commands.map(({ load }) => load()));
  const names = commands.flatMap(({ flags }) =>
    Object.values(flags as FlagTable).flatMap((spec) =>
      spec.type !== "boolean" && spec.env !== undefined ? [spec.env] : []
    )
  );
  return [...new Set(names)].sort();
}
