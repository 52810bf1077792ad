import { checkAccess, type Context } from "../_cli/mod.ts";
import { importLater } from "../../lib/base/import_later.ts";
import { useLargeMemory } from "../../lib/base/large_memory.ts";
import type { HttpFlagValues, HttpSurroundings } from "./http_flag_values.ts";
import type { HttpSide } from "./http_side.ts";

/**
 * Opens the HTTP side of a server, and says where it is; `undefined` without `--http`. Its health is
 * `starting` until `ready()` is called.
 *
 * @throws {UsageError} if other machines could connect and nobody said that they may, or a name or
 * origin is none.
 * @throws {ConnectionError} with operation `listen`
 */
export async function openHttp(
  flags: HttpFlagValues,
  surroundings: HttpSurroundings,
  context: Context,
): Promise<HttpSide | undefined> {
  if (flags.http === undefined) return undefined;
  checkAccess(flags.http, flags);
  useLargeMemory();
  const { HttpSide } = await importLater<typeof import("./http_side.ts")>(
    new URL("./http_side.ts", import.meta.url),
  );
  return await HttpSide.open({ ...flags, http: flags.http }, surroundings, context);
}
