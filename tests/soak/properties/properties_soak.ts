import { assertEquals } from "@std/assert";
import { ROOT } from "../../support/programs.ts";
import { runTool } from "../../support/tools.ts";
import type { RunningSoak, Soak } from "../soak.ts";

const SEEDED = `${ROOT}tests/soak/properties/seeded.ts`;

/** A single file takes seconds. */
const TIMEOUT_MS = 300_000;

/** Tries the properties of the tests with further cases: each round those of one file. */
export const propertiesSoak: Soak = {
  name: "properties",
  start(): Promise<RunningSoak> {
    const files = [...filesWithProperties("tests")].sort();
    const tried = new Set<string>();
    let rounds = 0;
    return Promise.resolve({
      async round(random) {
        const file = random.pick(files);
        const seed = String(random.int(0, 2 ** 31 - 1));
        const args = ["test", "-A", "--no-check", "--preload", SEEDED, file];
        const { code, out, err } = await runTool(Deno.execPath(), args, {
          cwd: ROOT,
          env: { NO_COLOR: "1", SOCKTOOL_PROPERTY_SEED: seed },
          timeoutMs: TIMEOUT_MS,
        });
        assertEquals(code, 0, `${file}\n${out}${err}`);
        tried.add(file);
        rounds++;
      },
      get summary() {
        return `${rounds} times the properties of one of ${tried.size} files`;
      },
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  },
};

function* filesWithProperties(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${ROOT}${folder}`)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* filesWithProperties(path);
    else if (
      /_test\.ts$/.test(name) && Deno.readTextFileSync(`${ROOT}${path}`).includes("fc.assert")
    ) {
      yield path;
    }
  }
}
