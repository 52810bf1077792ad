/**
 * How much a test does: as many as suffice to see that it holds, or all, where the soak runs it.
 *
 * @param few In `deno task test`, which has to be quick.
 */
export function soakSize(few: number, all: number): number {
  return Deno.env.get("SOCKTOOL_SOAK") === undefined ? few : all;
}
