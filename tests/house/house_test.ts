/** The house stands as it is drawn: no circles, arrows one way, nothing of the runtime below. */
import { assert, assertEquals } from "@std/assert";
import { ROOT } from "../support/programs.ts";
import { type Module, readModule } from "./read_module.ts";
import { circles, type House, houseProblems } from "./rules.ts";

/** A house in which each file imports what is listed behind it. */
function houseOf(imports: Readonly<Record<string, readonly string[]>>): House {
  return new Map(
    Object.entries(imports).map(([path, all]) => [path, { imports: all, opens: [], uses: [] }]),
  );
}

function house(): House {
  const modules = new Map<string, Module>();
  for (const path of ["mod.ts", ...sourcesIn("cmd"), ...sourcesIn("lib")]) {
    modules.set(path, readModule(path, Deno.readTextFileSync(`${ROOT}${path}`)));
  }
  return modules;
}

Deno.test("the house keeps its rules", () => {
  const modules = house();
  assert(modules.size > 200 && modules.has("lib/frame/mod.ts"));
  assertEquals(houseProblems(modules), []);
});

Deno.test("readModule() finds every import, and no other text", () => {
  const { imports, opens } = readModule(
    "x.ts",
    `
    import "./a.ts";
    import b, { type B } from "./b.ts";
    import type { C } from "./c.ts";
    import * as d from './d.ts';
    export * from "./e.ts"; export * as f from "./f.ts";
    export { g } from "./g.ts"; export type { H } from "./h.ts";
    type I = import("./i.ts").I; let j: typeof import("./j.ts");
    const k = await import("./k.ts"), l = await import(\`./l.ts\`);
    import m = require("./m.ts");
    import n from "./n.json" with { type: "json" };
    const text = \`\${await import("./o.ts")} import "./no.ts"\`;
    import {
      p, // from "./no.ts"
    } from
      "./p.ts";
    export const q = 1; export default q; export { q as r };
    await import(q); await import(\`./\${q}.ts\`);
    const pattern = /import "x"/, other = 'import "./no.ts"'; // import "./no.ts"
    /** {@link import("./no.ts")} import "./no.ts" */
    new Worker(new URL("./s.ts", import.meta.url)); new URL("./no.ts", q); new URL("./no.ts");
  `,
  );
  const expected = "abcdefghijklmop".split("").map((letter) => `./${letter}.ts`);
  assertEquals(imports.toSorted(), [...expected, "./n.json"].toSorted());
  assertEquals(opens, ["./s.ts"]);
});

Deno.test("readModule() finds what is used of Deno and the console, however it is written", () => {
  const cases: Record<string, readonly string[]> = {
    "Deno.exit(1)": ["Deno.exit"],
    'Deno["exit"](1)': ["Deno.exit"],
    "Deno?.args.length": ["Deno.args"],
    "let conn: Deno.Conn": ["Deno.Conn"],
    "let error: typeof Deno.errors.NotFound": ["Deno.errors"],
    "const { exit } = Deno": ["Deno"],
    "globalThis.Deno": ["Deno"],
    "Deno[name]": ["Deno"],
    "globalThis.console.log(1)": ["console"],
    "const { log } = console": ["console"],
    "const log = console?.log": ["console"],
    '// Deno.exit(), console.log()\nconst text = "Deno.args"': [],
    "/** ```ts\n * console.log(Deno.args)\n * ``` */": [],
    "const denominator = 1, consoles = 2": [],
  };
  for (const [text, uses] of Object.entries(cases)) {
    assertEquals(readModule("x.ts", text).uses, uses, text);
  }
});

Deno.test("circles() finds the four that the house had once", () => {
  const old: readonly House[] = [
    houseOf({
      "lib/pubsub/requests.ts": ["./session.ts"],
      "lib/pubsub/session.ts": ["./broker_core.ts", "./requests.ts"],
      "lib/pubsub/broker_core.ts": ["./session.ts"],
    }),
    houseOf({
      "lib/pubsub/outbox.ts": ["./backlog.ts", "./patience.ts", "./subscription.ts"],
      "lib/pubsub/backlog.ts": ["./subscription.ts"],
      "lib/pubsub/patience.ts": ["./outbox.ts"],
      "lib/pubsub/subscription.ts": ["./outbox.ts"],
    }),
    houseOf({
      "lib/pubsub/inbox.ts": ["./broker_client.ts"],
      "lib/pubsub/broker_client.ts": ["./inbox.ts"],
    }),
    houseOf({
      "lib/frame/frame_error.ts": ["./header.ts"],
      "lib/frame/header.ts": ["./frame_error.ts"],
    }),
  ];
  for (const each of old) {
    assertEquals(circles(each).length, 1);
    const path = [...each.keys()][0]!;
    assert(circles(each)[0]!.includes(path.slice(path.lastIndexOf("/"))), circles(each)[0]);
    assertEquals(houseProblems(each), circles(each));
  }
});

Deno.test("circles() tells of each by a shortest way round, and of no way that is none", () => {
  assertEquals(
    circles(houseOf({
      "lib/load/a.ts": ["./a.ts"],
      "lib/load/b.ts": ["./c.ts", "./d.ts"],
      "lib/load/c.ts": ["./d.ts"],
      "lib/load/d.ts": ["./b.ts", "../net/x.ts", "npm:x"],
      "lib/net/x.ts": ["./y.ts", "./z.ts"],
      "lib/net/y.ts": ["./z.ts"],
      "lib/net/z.ts": [],
    })),
    [
      "circle: lib/load/a.ts → lib/load/a.ts",
      "circle: lib/load/b.ts → lib/load/d.ts → lib/load/b.ts",
    ],
  );
});

Deno.test("houseProblems() tells of arrows that point the wrong way", () => {
  const wrong: readonly (readonly [from: string, to: string, problem: string])[] = [
    ["lib/base/a.ts", "../frame/mod.ts", "base does not import frame"],
    ["lib/frame/a.ts", "../net/mod.ts", "frame does not import net"],
    ["lib/net/a.ts", "../request/mod.ts", "net does not import request"],
    ["lib/request/a.ts", "../access/mod.ts", "request does not import access"],
    ["lib/sqlite/a.ts", "../search/mod.ts", "sqlite does not import search"],
    ["lib/load/a.ts", "../echo/mod.ts", "load does not import echo"],
    ["lib/pubsub/a.ts", "../search/mod.ts", "pubsub does not import search"],
    ["lib/pubsub/client/a.ts", "../broker/b.ts", "does not import lib/pubsub/broker/"],
    ["lib/pubsub/broker/a/b.ts", "../../client/b.ts", "does not import lib/pubsub/client/"],
    ["lib/pubsub/protocol/a.ts", "../client/b.ts", "does not import lib/pubsub/client/"],
    ["lib/pubsub/client/a.ts", "../mod.ts", "does not import what is above it in pubsub"],
    ["lib/request/client/a.ts", "../server/b.ts", "does not import lib/request/server/"],
    ["lib/request/server/a.ts", "../client/b.ts", "does not import lib/request/client/"],
    ["lib/net/bytes/a.ts", "../dial.ts", "does not import what is above it in net"],
    ["lib/echo/a.ts", "../../cmd/_cli/mod.ts", "lib imports nothing outside of it"],
    ["lib/echo/a.ts", "../../mod.ts", "lib imports nothing outside of it"],
    ["lib/echo/a.ts", "@socktool/socktool", "the package imports itself"],
    ["lib/message/a.ts", "../net/mod.ts", "message has no place in the house"],
  ];
  for (const [from, to, problem] of wrong) {
    for (const how of ["imports", "opens"]) {
      const module = { imports: [], opens: [], uses: [], [how]: [to] };
      const problems = houseProblems(new Map([[from, module]]));
      assertEquals(problems.length, 1, `${from} → ${to}`);
      assert(problems[0]!.endsWith(problem), problems[0]);
    }
  }
  assertEquals(
    houseProblems(houseOf({
      "cmd/a.ts": ["../lib/echo/mod.ts", "../lib/load/mod.ts", "./_cli/mod.ts"],
      "mod.ts": ["./lib/echo/mod.ts"],
      "lib/echo/mod.ts": ["../net/mod.ts", "../base/sleep.ts", "../access/mod.ts", "node:fs"],
      "lib/pubsub/mod.ts": ["./broker/a.ts", "./client/mod.ts", "./protocol/b.ts"],
      "lib/pubsub/broker/a.ts": ["../protocol/b.ts", "./c/d.ts", "../../request/mod.ts"],
      "lib/request/client/a.ts": ["../request_error.ts", "../../net/address.ts"],
      "lib/net/dial.ts": ["./bytes/a.ts"],
    })),
    [],
  );
});

Deno.test("houseProblems() tells of what lib, and what runs in a browser, must not use", () => {
  const refused = [
    ["lib/net/a.ts", "Deno.exit"],
    ["lib/net/a.ts", "Deno.args"],
    ["lib/net/a.ts", "Deno"],
    ["lib/net/a.ts", "console"],
    ["lib/base/report.ts", "Deno.stderr"],
    ["lib/frame/a.ts", "Deno.Conn"],
    ["lib/net/bytes/a.ts", "Deno.Conn"],
    ["lib/pubsub/client/a.ts", "Deno.connect"],
    ["lib/pubsub/protocol/a.ts", "Deno.connect"],
    ["lib/request/client/a.ts", "node:net"],
  ] as const;
  const allowed = [
    ["lib/net/a.ts", "Deno.listen"],
    ["lib/net/a.ts", "node:net"],
    ["lib/base/report.ts", "console"],
    ["lib/pubsub/broker/a.ts", "Deno.Conn"],
    ["cmd/a.ts", "console"],
    ["cmd/a.ts", "Deno.exit"],
  ] as const;
  const problems = (path: string, use: string) => {
    const [imports, uses] = use.startsWith("node:") ? [[use], []] : [[], [use]];
    return houseProblems(new Map([[path, { imports, opens: [], uses }]]));
  };
  for (const [path, use] of refused) {
    const [problem, ...others] = problems(path, use);
    assert(problem?.startsWith(path) && problem.endsWith(`uses ${use}`), `${path} ${use}`);
    assertEquals(others, []);
  }
  for (const [path, use] of allowed) assertEquals(problems(path, use), [], `${path} ${use}`);
  const behind = houseOf({
    "lib/pubsub/client/mod.ts": ["../../net/a.ts"],
    "lib/net/a.ts": ["./b.ts"],
    "lib/net/b.ts": ["node:fs"],
    "lib/net/c.ts": ["node:fs"],
  });
  assertEquals(houseProblems(behind), ["lib/net/b.ts, which runs in a browser, uses node:fs"]);
});

Deno.test("no statement has a bare parameter for a limit: it would be prepared anew at each run", () => {
  const bare = /\bLIMIT\s+[?:@$](?!\{)/;
  assert(bare.test("LIMIT ?1") && !bare.test("LIMIT +?1") && !bare.test("LIMIT ${MOST}"));
  const found = [...sourcesIn("cmd"), ...sourcesIn("lib")]
    .filter((path) => bare.test(Deno.readTextFileSync(`${ROOT}${path}`)));
  assertEquals(found, []);
});

Deno.test("no test changes what all tests of a process share: its variables and its folder", () => {
  const change = /\bDeno\.(env\.(set|delete)|chdir|umask)\(/;
  const found = [...sourcesIn("tests")]
    .filter((path) => change.test(Deno.readTextFileSync(`${ROOT}${path}`)));
  // That no package can be had is for all of them to know.
  assertEquals(found, ["tests/support/find_program.ts"]);
});

function* sourcesIn(folder: string): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(`${ROOT}${folder}`)) {
    if (isDirectory) yield* sourcesIn(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}
