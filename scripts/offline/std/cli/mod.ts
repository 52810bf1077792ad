/**
 * The functions of `@std/cli` that this project uses, for machines that cannot reach JSR: the
 * same names, signatures and behaviour. `deno unlink` turns to the registry's.
 *
 * @module
 */
export { parseArgs } from "./parse_args.ts";
