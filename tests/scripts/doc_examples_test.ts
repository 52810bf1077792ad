import { assertEquals } from "@std/assert";
import { examplesIn, testOf } from "../../scripts/doc_examples.ts";
import { toFileUrl } from "../../scripts/pack/paths.ts";

const MODULE = `/**
 * What it is.
 *
 * @example
 * \`\`\`ts
 * import { a } from "./a.ts";
 * import {
 *   assert,
 * } from "@std/assert";
 *
 * assert(a({ from: "./b.ts" }));
 * \`\`\`
 */
export class A {
  /** \`\`\`json is no program. */
  b = 1;

  /**
   * \`\`\`ts
   * f();
   * \`\`\`
   *
   * \`\`\`ts
   * g();
   * \`\`\`
   */
  c = 2;
}
`;

Deno.test("the examples in docstrings are found, with their lines", () => {
  const examples = examplesIn("lib/base/x.ts", MODULE);
  assertEquals(examples.map(({ lines }) => lines), ["5-12", "19-21", "23-25"]);
  assertEquals(examples.slice(1).map(({ text }) => text), ["f();\n", "g();\n"]);
});

Deno.test("an example is a test that imports what its module would", () => {
  const [example] = examplesIn("lib/base/x.ts", MODULE);
  assertEquals(
    testOf(example!),
    `import { a } from "${toFileUrl("lib/base/a.ts")}";
import {
  assert,
} from "@std/assert";
Deno.test("lib/base/x.ts:5-12", async () => {

assert(a({ from: "./b.ts" }));
});
`,
  );
});
