/** `deno task install` in a home where nothing is. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../scripts/pack/paths.ts";
import { runTool, type ToolOutput } from "../support/tools.ts";
import { SYSTEM_PATH } from "./portable_file.ts";

/** What tells how a machine reaches others: by which proxy, and whose certificates it trusts. */
const REACHING =
  /^(ssl_cert_|node_extra_ca_certs$|deno_cert$|deno_tls_ca_store$|npm_config_|(https?|no)_proxy$)/i;

/** Installs the program of this checkout; deno is not on the PATH. */
export function install(home: string, ...args: readonly string[]): Promise<ToolOutput> {
  // The cache of packages is where it is: what it has is not fetched anew. It may lack the bundler.
  const DENO_DIR = Deno.env.get("DENO_DIR") ?? `${Deno.env.get("HOME")}/.cache/deno`;
  const given = Object.entries(Deno.env.toObject()).filter(([name]) => REACHING.test(name));
  const reaching = Object.fromEntries(given);
  return runTool(Deno.execPath(), ["run", "-A", `${ROOT}/scripts/install_clone.ts`, ...args], {
    clearEnv: true,
    env: {
      ...reaching,
      HOME: home,
      USERPROFILE: home,
      PATH: SYSTEM_PATH,
      DENO_DIR,
      NO_COLOR: "1",
    },
  });
}

/** Where it puts the program. */
export const programIn = (home: string) => `${home}/.local/bin/socktool`;

/** Asserts that it put the program there, and nothing else, and said so. */
export function assertInstalled(home: string, { code, err }: ToolOutput): void {
  assertEquals(code, 0, err);
  const program = programIn(home);
  assertStringIncludes(err, `as ${program}\n`);
  assertStringIncludes(err, `${home}/.local/bin is not in PATH`);
  assertEquals([...Deno.readDirSync(`${home}/.local/bin`)].length, 1);
}

/** Asserts that the program runs, started by a user who has no Deno. */
export async function assertStarts(home: string): Promise<void> {
  const { out, code } = await runTool(programIn(home), ["--version"], {
    clearEnv: true,
    env: { HOME: home, PATH: SYSTEM_PATH },
  });
  assertEquals([out.split(" ")[0], code], ["socktool", 0]);
}
