/**
 * Checks the package as JSR would: `deno task check:publish`. It checks a copy that has only the
 * published files, so an import of a file that is not published is found. The stand-ins for packages
 * of JSR are beside the copy, so that the check works where JSR cannot be reached. Of types it checks
 * that they are explicit; whether they are right is what `deno task check` says.
 *
 * @module
 */
import config from "../deno.json" with { type: "json" };
import { dirname } from "node:path";
import { ROOT } from "./pack/paths.ts";

async function copy(from: string, to: string): Promise<void> {
  await Deno.mkdir(dirname(to), { recursive: true });
  if ((await Deno.stat(from)).isFile) return await Deno.copyFile(from, to);
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

if (import.meta.main) {
  const folder = await Deno.makeTempDir({ prefix: "socktool-publish-" });
  let code: number;
  try {
    const checkout = `${folder}/package`;
    for (const path of [...config.publish.include, "deno.lock"]) {
      await copy(`${ROOT}/${path}`, `${checkout}/${path}`);
    }
    const links = config.links.map((path) => `../${path}`);
    for (const path of config.links) await copy(`${ROOT}/${path}`, `${folder}/${path}`);
    await Deno.writeTextFile(
      `${checkout}/deno.json`,
      JSON.stringify({ ...config, links, workspace: [] }),
    );
    ({ code } = await new Deno.Command(Deno.execPath(), {
      args: ["publish", "--dry-run", "--allow-dirty", "--quiet", "--no-check"],
      cwd: checkout,
      stdin: "null",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn().status);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  Deno.exit(code);
}
