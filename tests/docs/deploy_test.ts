/** The files for operators are right: what reads them finds nothing to say. */
import { assert, assertEquals } from "@std/assert";
import { parseAuthFile } from "../../lib/access/mod.ts";
import { PUBSUB_RIGHTS } from "../../lib/pubsub/mod.ts";
import { SEARCH_RIGHTS } from "../../lib/search/mod.ts";
import { ROOT, script, ServerProgram } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled, runTool } from "../support/tools.ts";
import { TARGETS } from "../../scripts/pack/targets.ts";

const textOf = (name: string) => Deno.readTextFileSync(`${ROOT}deploy/${name}`);

Deno.test("the auth file has every right, and nothing that is not one", () => {
  const text = textOf("auth.json");
  const rights = { ...PUBSUB_RIGHTS, ...SEARCH_RIGHTS };
  const { users, tokens } = parseAuthFile(text, rights);
  assertEquals([users.size, tokens.size], [2, 1]);
  const [operator] = users.values();
  for (const right of Object.keys(rights)) {
    assert(operator!.principal.permission(right).allow.length > 0, right);
  }
});

Deno.test("the image is made of a file that deno task portable makes", () => {
  const [, triple] = /^ARG FILE=socktool-(\S+)-portable$/m.exec(textOf("Dockerfile"))!;
  assert(TARGETS.some((target) => target.triple === triple), triple);
});

Deno.test("alerts and dashboard ask for figures that the servers have", async () => {
  using scratch = new Scratch();
  const known = new Set(["up"]);
  for (const [name, ...args] of [["broker", "--store", scratch.at("store")], ["app_server"]]) {
    await using server = await ServerProgram.start(
      script(`cmd/${name}.ts`, ":0", "--http", ":0", ...args),
    );
    const [, pages] = /^pages on (\S+)\n/m.exec(server.err)!;
    const figures = await (await fetch(`${pages}metrics`)).text();
    for (const [, figure] of figures.matchAll(/^(socktool_\w+)/gm)) known.add(figure!);
  }
  const asked = [textOf("alerts.yml"), textOf("grafana.json")]
    .flatMap((text) => text.match(/\bsocktool_\w+/g) ?? []);
  assert(asked.length > 30);
  assertEquals(asked.filter((figure) => !known.has(figure)), []);
  const { panels } = JSON.parse(textOf("grafana.json"));
  assertEquals(new Set(panels.map(({ id }: { id: number }) => id)).size, panels.length);
});

Deno.test({
  name: "Prometheus takes the alerting rules",
  ignore: !isInstalled("promtool", "the check of the alerting rules"),
  fn: async () => {
    const { code, err } = await runTool("promtool", [
      "check",
      "rules",
      `${ROOT}deploy/alerts.yml`,
    ]);
    assertEquals([code, err], [0, ""]);
  },
});

Deno.test({
  name: "systemd takes the unit",
  ignore: !isInstalled("systemd-analyze", "the check of the systemd unit"),
  fn: async () => {
    using scratch = new Scratch();
    // Where it will be installed, there is nothing here.
    const unit = textOf("socktool-broker.service").replaceAll(
      "/usr/local/bin/socktool",
      "/bin/true",
    );
    const path = scratch.write("socktool-broker.service", unit);
    const { code, out, err } = await runTool("systemd-analyze", ["verify", "--man=no", path]);
    assertEquals([code, out, err], [0, "", ""]);
  },
});
