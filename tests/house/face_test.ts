/** `mod.ts`, the library's face, is a list that can be read. */
import { assert, assertEquals } from "@std/assert";
import config from "../../deno.json" with { type: "json" };
import { ROOT } from "../support/programs.ts";

const MOST_NAMES = 65;

/** The names that a module exports, and what it exports all of, whatever that has. */
function exportsOf(text: string): { names: string[]; all: string[] } {
  const names: string[] = [];
  const all: string[] = [];
  let depth = 0;
  const nameOf = (node: Deno.lint.Node) => "name" in node ? String(node.name) : "?";
  const visitor: Deno.lint.LintVisitor = {
    ExportNamedDeclaration({ specifiers, declaration }) {
      // What stands in a namespace is behind its name.
      if (depth > 0) return;
      names.push(...specifiers.map(({ exported }) => nameOf(exported)));
      if (declaration) names.push("id" in declaration ? nameOf(declaration.id!) : "?");
    },
    ExportAllDeclaration: ({ source }) => void all.push(source.value),
    TSModuleDeclaration: () => void depth++,
    "TSModuleDeclaration:exit": () => void depth--,
  };
  const plugin: Deno.lint.Plugin = { name: "face", rules: { read: { create: () => visitor } } };
  Deno.lint.runPlugin(plugin, "mod.ts", text);
  return { names, all };
}

Deno.test("mod.ts names what it exports, and that is no more than a reader takes in", () => {
  const { names, all } = exportsOf(Deno.readTextFileSync(`${ROOT}mod.ts`));
  assertEquals(all, []);
  assert(names.includes("serveRequests") && names.includes("streams"));
  assert(names.length <= MOST_NAMES, `${names.length} names`);
});

Deno.test("exportsOf() counts each name once, and what is in a namespace not at all", () => {
  const { names, all } = exportsOf(`
    import type { A, B } from "./a.ts";
    export { c, type D, e as f } from "./b.ts";
    export type { G } from "./c.ts";
    export declare namespace h { export { A, B }; export type I = 1; }
    export type J = 1;
    export function k() {}
    export * as l from "./d.ts";
    export type * from "./e.ts";
  `);
  assertEquals(names, ["c", "D", "f", "G", "h", "J", "k"]);
  assertEquals(all, ["./d.ts", "./e.ts"]);
});

Deno.test("mod.ts tells of each entry point of the package", () => {
  const text = Deno.readTextFileSync(`${ROOT}mod.ts`);
  const entries = Object.keys(config.exports).filter((entry) => entry !== "." && entry !== "./cli");
  assertEquals(entries.filter((entry) => !text.includes(`\`${entry}\``)), []);
});
