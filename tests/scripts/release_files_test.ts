import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../../scripts/pack/paths.ts";
import { TARGETS } from "../../scripts/pack/targets.ts";
import config from "../../deno.json" with { type: "json" };

const read = (path: string) => Deno.readTextFileSync(`${ROOT}/${path}`);
const workflow = read(".github/workflows/release.yml");

Deno.test("the release is tried on the system of every target", () => {
  const tried = [...workflow.matchAll(/\{ target: ([\w-]+),/g)].map(([, target]) => target);
  assertEquals(tried, TARGETS.map(({ triple }) => triple));
});

Deno.test("the install scripts know the targets that are released", () => {
  const inSh = [...read("scripts/install.sh").matchAll(/target=(\w+-\S+-(?:gnu|darwin))/g)];
  const inPs1 = [...read("scripts/install.ps1").matchAll(/\$target = '([^']+)'/g)];
  assertEquals(
    [...inSh, ...inPs1].map(([, target]) => target),
    TARGETS.map(({ triple }) => triple),
  );
});

Deno.test("the release is made after all other checks, by a Deno that is named", () => {
  assertStringIncludes(workflow, "build:\n    needs: ci\n");
  assert(/DENO_VERSION: "\d+\.\d+\.\d+"/.test(workflow));
});

Deno.test("JSR gets the program, and what it imports", () => {
  assertEquals(config.exports["./cli"], "./cmd/socktool.ts");
  for (const path of ["deno.json", "mod.ts", "lib", "cmd"]) {
    assert(config.publish.include.includes(path), path);
  }
});

Deno.test("the release publishes without the stand-ins for JSR's packages", () => {
  const unlinked = /deno unlink (.*)\n +- run: deno publish/.exec(workflow)?.[1]?.split(" ");
  assertEquals(unlinked?.map((path) => `./${path}`), config.links);
  assertEquals(config.publish.include.filter((path) => path.startsWith("scripts")), []);
});
