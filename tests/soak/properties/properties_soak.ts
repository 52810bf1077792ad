import { assertEquals } from "@std/assert";
import { ROOT } from "../../support/programs.ts";
import { runTool } from "../../support/tools.ts";
import type { RunningSoak, Soak } from "../soak.ts";

const SEEDED = `${ROOT}tests/soak/properties/seeded.ts`;

/** A single file takes seconds. */
const TIMEOUT_MS = 300_000;

/**
 * Tries the properties of the tests with further cases, and does all of what `soakSize` has them do a
 * part of: each round a file.
 */
export const propertiesSoak: Soak = {
  name: "properties",
  start(): Promise<RunningSoak> {
    const files = [...filesToSoak("tests")].sort();
    const tried = new Set<string>();
    let rounds = 0;
    return Promise.resolve({
      async round(random) {
        const file = random.pick(files);
        const seed = String(random.int(0, 2 ** 31 - 1));
        const args = ["test", "-A", "--no-check", "--preload", SEEDED, file];
        const { code, out, err } = await runTool(Deno.execPath(), args, {
          cwd: ROOT,
          env: { NO_COLOR: "1", SOCKTOOL_PROPERTY_SEED: seed, SOCKTOOL_SOAK: "1" },
          timeoutMs: TIMEOUT_MS,
        });
        assertEquals(code, 0, `${file}\n${out}${err}`);
        tried.add(file);
        rounds++;
      },
      get summary() {
        return `${rounds} times one of ${tried.size} files`;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};

function* filesToSoak(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${ROOT}${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesToSoak(path);
    else if (
      name.endsWith("_test.ts") &&
      /\bfc\.assert\(|\bsoakSize\(/.test(Deno.readTextFileSync(`${ROOT}${path}`))
    ) {
      yield path;
    }
  }
}
