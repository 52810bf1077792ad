/** Streams on the command line: `broker --store`, `pub --stored`, `sub --stream`, `stream`. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { runMulti } from "../../cmd/_cli/multi.ts";
import { program as socktoolProgram } from "../../cmd/program.ts";
import { FakeHost } from "./_cli/fake_host.ts";
import { deadline } from "../support/deadline.ts";
import { type Finished, InnerProgram, InnerServer, socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { skipOnWindows } from "../support/skip.ts";

/** Runs a command of a client against a broker. */
type Run = (...args: readonly string[]) => Promise<Finished>;

/** Of the database of a store, in bytes. */
const PAGE = 4_096;

async function withBroker(use: (run: Run, server: string) => Promise<void>): Promise<void> {
  using scratch = new Scratch();
  const store = ["--store", scratch.at("store"), "--stream", "orders=orders.>"];
  await using broker = await InnerServer.start(["broker", ":0", ...store]);
  const server = broker.words.join(":");
  await use((...args) => socktool([...args, "-s", server]), server);
}

/** Overwrites the page at which a table of a database begins. */
function breakTable(path: string, table: string): void {
  const db = new DatabaseSync(path, { readOnly: true });
  const sql = "SELECT rootpage AS page FROM sqlite_schema WHERE name = ?";
  const page = Number(db.prepare(sql).get(table)!["page"]);
  db.close();
  Deno.writeFileSync(path, Deno.readFileSync(path).fill(7, (page - 1) * PAGE, page * PAGE));
}

/** Runs a command that is interrupted as soon as it listens for that. @returns its exit code. */
async function interrupted(args: readonly string[]): Promise<number> {
  const host = new FakeHost(args);
  const { onInterrupt } = host;
  host.onInterrupt = (listener) => {
    queueMicrotask(() => listener("SIGINT"));
    return onInterrupt(listener);
  };
  return await deadline(runMulti(socktoolProgram, host), `the end of ${args.join(" ")}`);
}

/** The objects that a program printed, a line each. */
function objects({ out }: Finished): Record<string, unknown>[] {
  return out.split("\n").filter((line) => line !== "").map((line) => JSON.parse(line));
}

Deno.test("what is stored is read again, from where it is said", async () => {
  await withBroker(async (run) => {
    assertEquals((await run("pub", "orders.a", "one", "--stored")).out, "orders 1\n");
    assertEquals(
      (await run("pub", "orders.b", "two", "--stored", "--msg-id", "m")).out,
      "orders 2\n",
    );
    const again = await run("pub", "orders.b", "two", "--stored", "--msg-id", "m", "--json");
    assertEquals(objects(again)[0], {
      type: "stored",
      topic: "orders.b",
      stream: "orders",
      seq: 2,
      duplicate: true,
    });
    const cases: [string, string[], string][] = [
      ["all", ["--count", "2"], "one\ntwo\n"],
      ["2", ["--count", "1"], "two\n"],
      ["last", ["--count", "2"], "one\ntwo\n"],
      ["1h", ["--count", "2"], "one\ntwo\n"],
      ["2020-01-31T12:00", ["orders.b", "--count", "1"], "two\n"],
    ];
    const read = await Promise.all(
      cases.map(([from, args]) => run("sub", "--stream", "orders", "--from", from, ...args)),
    );
    cases.forEach(([from, , expected], i) => {
      assertEquals([read[i]!.code, read[i]!.out], [0, expected], from);
    });
    const refused = await run("pub", "other", "x", "--stored");
    assertEquals(refused.code, 1);
    assertStringIncludes(refused.err, "no stream keeps the topic");
  });
});

Deno.test("a consumer works off each message, and dead letters can be seen and sent again", async () => {
  if (skipOnWindows("whose shell takes other commands")) return;
  await withBroker(async (run) => {
    for (const text of ["good", "bad"]) await run("pub", "orders.a", text, "--stored");
    const each = 'read -r text; echo "$SOCKTOOL_STREAM $SOCKTOOL_SEQ $SOCKTOOL_ATTEMPT $text"; ' +
      'test "$text" = good';
    const work = ["sub", "--stream", "orders", "--consumer", "billing", "--each", each];
    const worked = await run(...work, "--attempts", "2", "--count", "3");
    assertEquals(worked.code, 0, worked.err);
    assertEquals(worked.out, "orders 1 1 good\norders 2 1 bad\norders 2 2 bad\n");
    assertStringIncludes(worked.err, "orders 2, attempt 1: exit code 1; it is given back");
    assertEquals((await run("stream", "dead", "orders", "billing")).out, "bad\n");
    const [consumer] = objects(await run("stream", "consumers", "orders", "--json"));
    assertEquals([consumer?.["pending"], consumer?.["unacked"], consumer?.["dead"]], [0, 0, 1]);
    assertEquals((await run("stream", "redrive", "orders", "billing")).out, "1\n");
    const mended = ["--each", "cat", "--json", "--count", "1"];
    const acked = await run("sub", "--stream", "orders", "--consumer", "billing", ...mended);
    assertEquals(objects(acked)[0]?.["type"], "acked", acked.err);
    assertEquals((await run("stream", "dead", "orders", "billing")).out, "");
  });
});

Deno.test("a consumer takes attempts only from messages whose command it runs", async () => {
  if (skipOnWindows("whose shell takes other commands")) return;
  await withBroker(async (run) => {
    for (const text of ["one", "two", "three"]) await run("pub", "orders.a", text, "--stored");
    const work = ["sub", "--stream", "orders", "--consumer", "c", "--count", "1", "--each"];
    const each = 'cat; echo " $SOCKTOOL_ATTEMPT"';
    for (const [i, text] of ["one", "two"].entries()) {
      const { code, out, err } = await run(
        ...work,
        each,
        "--attempts",
        "1",
        "--parallel",
        `${i + 1}`,
      );
      assertEquals([code, out, err], [0, `${text} 1\n`, ""]);
    }
    const [consumer] = objects(await run("stream", "consumers", "orders", "--json"));
    assertEquals([consumer?.["redelivered"], consumer?.["dead"]], [0, 0]);
    // The broker waits 500 ms: longer, while the command runs.
    const slow = ["sub", "--stream", "orders", "--consumer", "slow", "--count", "1", "--each"];
    const late = await run(...slow, "sleep 30", "--ack-wait", "500ms", "--attempts", "2");
    assertEquals([late.code, late.err.match(/longer than 500 ms|are not open/g)], [0, [
      "longer than 500 ms",
    ]]);
    const done = await run(...slow, 'sleep 1.2; cat; echo " $SOCKTOOL_ATTEMPT"');
    assertEquals([done.code, done.out, done.err], [0, "one 2\n", ""]);
  });
});

Deno.test("an interrupted consumer lets its command finish", async () => {
  if (skipOnWindows("whose shell takes other commands")) return;
  await withBroker(async (run, server) => {
    await run("pub", "orders.a", "text", "--stored");
    const args = ["--consumer", "c", "--each", "echo begun; sleep 0.3; echo done"];
    const words = ["sub", "--stream", "orders", ...args, "-s", server];
    await using sub = new InnerProgram(words);
    await sub.printed("begun", "out");
    sub.interrupt();
    const { code, out } = await sub.finished();
    assertEquals([code, out], [130, "begun\ndone\n"]);
    const [consumer] = objects(await run("stream", "consumers", "orders", "--json"));
    assertEquals([consumer?.["pending"], consumer?.["unacked"]], [0, 0]);
  });
});

Deno.test("streams are made, changed, listed, purged and deleted", async () => {
  await withBroker(async (run) => {
    const limits = ["--max-age", "7d", "--max-count", "1k", "--keep", "until-acked"];
    const made = await run("stream", "create", "logs", "logs.>", "more.*", ...limits, "--json");
    const [stream] = objects(made);
    assertEquals([stream?.["maxAgeMs"], stream?.["maxCount"], stream?.["keep"]], [
      604_800_000,
      1_000,
      "until-acked",
    ]);
    const changed = await run("stream", "update", "logs", "--max-age", "0", "--json");
    assertEquals(objects(changed)[0]?.["maxAgeMs"], null);
    const listed = (await run("stream", "list")).out.split("\n");
    assertEquals(listed.slice(0, 3).map((line) => line.split(" ")[0]), ["NAME", "logs", "orders"]);
    assertEquals(listed[1]!.split(/ {2,}/).slice(2, 5), ["0", "0 B", "-"]);
    await run("pub", "logs.a", "x", "--stored");
    const purged = await run("stream", "purge", "logs", "--before-seq", "2", "--json");
    assertEquals(objects(purged)[0]?.["count"], 0);
    assertEquals((await run("stream", "delete", "logs")).code, 0);
    const gone = await run("stream", "info", "logs");
    assertEquals(gone.code, 1);
    assertStringIncludes(gone.err, 'there is no stream "logs"');
  });
});

Deno.test("a store is copied while the broker runs, and verified when it does not", async () => {
  using scratch = new Scratch();
  const store = scratch.at("store");
  const args = ["--store", store, "--stream", "orders=orders.>"];
  {
    await using broker = await InnerServer.start(["broker", ":0", ...args]);
    await socktool(["pub", "orders.a", "x", "--stored", "-s", broker.words.join(":")]);
    const copied = await socktool(["stream", "backup", scratch.at("copy.db"), "--store", store]);
    assertEquals(copied.code, 0, copied.err);
    const again = await socktool(["stream", "backup", scratch.at("copy.db"), "--store", store]);
    assertEquals(again.code, 1);
    assertStringIncludes(again.err, "exists already");
    const s = ["-s", broker.words.join(":")];
    const sent = await socktool(["stream", "backup", scratch.at("sent.db"), ...s, "--json"]);
    const { size } = Deno.statSync(scratch.at("sent.db"));
    assertEquals(objects(sent), [{ type: "backup", file: scratch.at("sent.db"), bytes: size }]);
    const taken = await socktool(["stream", "backup", scratch.at("sent.db"), ...s]);
    assertEquals(taken.code, 1);
    assertStringIncludes(taken.err, "exists already");
    const nowhere = await socktool(["stream", "backup", scratch.at("no/x.db"), ...s]);
    assertStringIncludes(nowhere.err, "its folder does not exist");
    const names = [...Deno.readDirSync(store)].map(({ name }) => name);
    assertEquals(names.filter((name) => name.includes("copy")), []);
    const running = await socktool(["stream", "verify", "--store", store]);
    assertEquals(running.code, 1);
    assertStringIncludes(running.err, "another program has it");
    broker.interrupt();
    await broker.finished();
  }
  Deno.mkdirSync(scratch.at("sent"));
  Deno.renameSync(scratch.at("sent.db"), scratch.at("sent/socktool.db"));
  assertEquals((await socktool(["stream", "verify", "--store", scratch.at("sent")])).code, 0);
  Deno.renameSync(scratch.at("copy.db"), `${store}/socktool.db`);
  const whole = await socktool(["stream", "verify", "--store", store, "--json"]);
  assertEquals(objects(whole)[0], {
    type: "verify",
    store,
    streams: 1,
    messages: 1,
    problems: [],
  });
  breakTable(`${store}/socktool.db`, "run");
  assertEquals((await socktool(["stream", "verify", "--store", store])).code, 1);
  for (const words of [["verify"], ["repair"], ["backup", scratch.at("ended.db")]]) {
    assertEquals(await interrupted(["stream", ...words, "--store", store]), 130, words[0]);
  }
  assertEquals(
    [...Deno.readDirSync(store)].filter(({ name }) => /repaired|damaged/.test(name)),
    [],
  );
  const repaired = await socktool(["stream", "repair", "--store", store]);
  assertEquals([repaired.code, repaired.out], [0, ""]);
  assertStringIncludes(repaired.err, "Lost: messages cannot be read");
  assertStringIncludes(repaired.err, "socktool.db.damaged-");
  assertEquals((await socktool(["stream", "verify", "--store", store])).code, 0);
});

Deno.test("a broker whose port is in use makes no store", async () => {
  using scratch = new Scratch();
  using other = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = `127.0.0.1:${other.addr.port}`;
  const store = ["--store", scratch.at("store"), "--stream", "orders=orders.>"];
  const { code, err } = await socktool(["broker", address, ...store]);
  assertEquals(code, 1);
  assertStringIncludes(err, "the address is in use");
  assertEquals([...Deno.readDirSync(scratch.at("."))], []);
});

Deno.test("wrong command lines are told before anything is connected", async () => {
  const cases: [string[], string][] = [
    [["sub"], "FILTER is missing"],
    [["sub", "--stream", "a b"], "--stream a b"],
    [["sub", "a", "b", "--stream", "s"], "one FILTER at most"],
    [["sub", "--stream", "s", "--from", "soon"], "--from soon"],
    [["sub", "--stream", "s", "--consumer", "c"], "--consumer needs --each"],
    [["sub", "--stream", "s", "--consumer", "c", "--each", "cat", "--from", "last"], "--from last"],
    [["sub", "a", "--from", "all"], "--from needs --stream"],
    [["sub", "--stream", "s", "--slow", "latest"], "--stream and --slow contradict"],
    [["sub", "--stream", "s", "--consumer", "c", "--each", "cat", "--raw"], "--each and --raw"],
    [["sub", "a", "--parallel", "2"], "--parallel needs"],
    [["pub", "a", "b", "--msg-id", "m"], "--msg-id needs --stored"],
    [["pub", "a", "b", "--stored", "--count", "2", "--msg-id", "m"], "--msg-id is for one message"],
    [["pub", "a", "b", "--stored", "--confirm"], "--stored"],
    [["stream", "create", "x"], "FILTER is missing"],
    [["stream", "create", "x", "a.>", "a.b"], "overlaps"],
    [["stream", "create", "ö", "a"], "NAME ö"],
    [["stream", "dead", "x"], "CONSUMER is missing"],
    [["stream", "list", "x"], "x is too much"],
    [["stream", "info", "x", "--max-age", "1h"], "--max-age is not for info"],
    [["stream", "delete", "x", "--filter", "a"], "--filter is not for delete"],
    [["stream", "verify"], "needs --store DIR"],
    [["stream", "repair"], "needs --store DIR"],
    [["stream", "backup", "--store", "x"], "FILE is missing"],
    [["stream", "list", "--store", "x"], "--store is not for list"],
    [["broker", ":0", "--stream", "x=y"], "--stream needs --store or --nats"],
    [["broker", ":0", "--store", "/nowhere", "--stream", "x"], "--stream"],
  ];
  const finished = await Promise.all(cases.map(([args]) => socktool(args)));
  cases.forEach(([args, expected], i) => {
    const { code, err } = finished[i]!;
    assertEquals(code, 2, `${args.join(" ")}: ${err}`);
    assertStringIncludes(err, expected, args.join(" "));
  });
});
