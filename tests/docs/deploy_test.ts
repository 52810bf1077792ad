/** The files for operators are right: what reads them finds nothing to say. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { basename } from "node:path";
import { CACHE_VARIABLE } from "../../cmd/_cli/environment.ts";
import { type AnyInput, parseInput } from "../../cmd/_cli/parse.ts";
import { program } from "../../cmd/program.ts";
import { parseAuthFile } from "../../lib/access/mod.ts";
import { type Address, formatAddress } from "../../lib/net/mod.ts";
import { PUBSUB_RIGHTS } from "../../lib/pubsub/mod.ts";
import { SEARCH_RIGHTS } from "../../lib/search/mod.ts";
import { InnerServer, ROOT } from "../support/programs.ts";
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

/** Instructions by their names, with lines joined that end in a backslash. */
function instructions(dockerfile: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const line of dockerfile.replaceAll(/\\\n\s*/g, "").split("\n")) {
    const [, name, rest] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    if (name !== undefined) found.set(name, [...found.get(name) ?? [], rest!]);
  }
  return found;
}

/** Reads the words behind `socktool` as the program does. @throws {UsageError} if it would refuse them. */
async function readCommand([name, ...words]: readonly string[]): Promise<AnyInput> {
  const entry = program.commands.find((each) => each.name === name);
  return parseInput(await entry!.load(), words);
}

const textsOf = ({ args, flags }: AnyInput) => ({
  address: formatAddress(args["address"] as Address),
  ...flags["http"] === undefined ? {} : { http: formatAddress(flags["http"] as Address) },
});

Deno.test("the image is made of a portable file, and starts commands that there are", async () => {
  const found = instructions(textOf("Dockerfile"));
  const one = (name: string) => {
    const [value, ...more] = found.get(name)!;
    assertEquals(more, [], name);
    return value!;
  };
  const known = ["ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "RUN"];
  assertEquals([...found.keys()].sort(), [...known, "USER", "VOLUME"]);
  const [, triple] = /^FILE=socktool-(\S+)-portable$/.exec(one("ARG"))!;
  assert(TARGETS.some((target) => target.triple === triple), triple);
  const path = "/usr/local/bin/socktool";
  assertEquals(one("COPY"), `--chmod=755 \${FILE} ${path}`);
  assertEquals(JSON.parse(one("ENTRYPOINT")), [basename(path)]);
  // Who it runs as has a home for the program, and a folder for what is kept.
  const [makeUser, ...rest] = found.get("RUN")!;
  assertEquals(rest, ["socktool --version"]);
  const user = one("USER");
  const [, home] = /^useradd .*--home-dir (\S+) /.exec(makeUser!)!;
  assertStringIncludes(makeUser!, ` ${user} &&`);
  const [variable, folder] = one("ENV").split("=") as [string, string];
  assertEquals(variable, CACHE_VARIABLE[0]);
  assert(folder.startsWith(`${home}/`));
  assertStringIncludes(makeUser!, `--owner=${user} --mode=0700 ${one("VOLUME")}`);
  // The server, and who asks whether it is well.
  const server = await readCommand(JSON.parse(one("CMD")));
  assertEquals(textsOf(server), { address: "0.0.0.0:5635", http: "0.0.0.0:9090" });
  assertEquals(server.flags["store"], one("VOLUME"));
  assertEquals(one("EXPOSE"), "5635 9090");
  const [asked, ...health] = JSON.parse(one("HEALTHCHECK").replace(/^.* CMD /, ""));
  assertEquals(asked, basename(path));
  assertEquals(textsOf(await readCommand(health)), { address: "127.0.0.1:9090" });
});

Deno.test("the unit starts a command that there is, and unpacks where it may write", async () => {
  const unit = textOf("socktool-broker.service").replaceAll(/\\\n\s*/g, "");
  const [path, ...words] = /^ExecStart=(.*)$/m.exec(unit)![1]!.split(" ");
  assertEquals(path, "/usr/local/bin/socktool");
  const { flags } = await readCommand(words);
  const [, state] = /^StateDirectory=(\S+)$/m.exec(unit)!;
  const [, cache] = /^CacheDirectory=(\S+)$/m.exec(unit)!;
  assertEquals(flags["store"], `/var/lib/${state}`);
  assertStringIncludes(unit, `Environment=${CACHE_VARIABLE[0]}=/var/cache/${cache}\n`);
});

Deno.test("alerts and dashboard ask for figures that the servers have", async () => {
  using scratch = new Scratch();
  const known = new Set(["up"]);
  for (const [name, ...args] of [["broker", "--store", scratch.at("store")], ["app-server"]]) {
    await using server = await InnerServer.start([name!, ":0", "--http", ":0", ...args]);
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
  name: "Prometheus takes the alerting rules, and the dashboard's queries",
  ignore: !isInstalled("promtool", "the check of the alerting rules and the dashboard's queries"),
  fn: async () => {
    using scratch = new Scratch();
    const { panels } = JSON.parse(textOf("grafana.json"));
    const rules = panels.flatMap(({ targets }: { targets: { expr: string }[] }) => targets)
      .map(({ expr }: { expr: string }, i: number) => ({
        record: `query:${i}`,
        expr: expr.replaceAll("$__rate_interval", "1m"),
      }));
    assert(rules.length > 15);
    // JSON is YAML.
    const queries = JSON.stringify({ groups: [{ name: "dashboard", rules }] });
    const { code, out, err } = await runTool("promtool", [
      "check",
      "rules",
      `${ROOT}deploy/alerts.yml`,
      scratch.write("queries.yml", queries),
    ]);
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, `SUCCESS: ${rules.length} rules found`);
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
