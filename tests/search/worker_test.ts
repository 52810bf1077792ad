import { assert, assertEquals, assertRejects } from "@std/assert";
import { openSearch, SearchError } from "../../lib/search/mod.ts";
import type { Client, Engine } from "../../lib/search/engine.ts";
import { openWith } from "../../lib/search/open_search.ts";
import { WorkerPool } from "../../lib/search/worker/worker_pool.ts";
import { assertCode, Folder, Recorder } from "./support.ts";

const OBEDIENT = new URL("./obedient_worker.ts", import.meta.url);

/** A pool of workers that do what the task says; see obedient_worker.ts. */
function makePool(
  {
    size = 1,
    hasSpare = false,
    maxQueued = 100,
    timeoutMs = 60_000,
    setup = "",
  } = {},
) {
  const replaced: string[] = [];
  const onReplaced = (reason: string) => replaced.push(reason);
  const pool = new WorkerPool<string, string, string>({
    name: "search",
    url: OBEDIENT,
    setup: () => setup,
    size,
    hasSpare,
    maxQueued,
    timeoutMs,
    onReplaced,
  });
  return { pool, replaced, [Symbol.asyncDispose]: () => pool.close() };
}

Deno.test("a worker that dies fails its request only, and is replaced", async () => {
  await using made = makePool();
  const { pool, replaced } = made;
  const before = pool.run("echo 1");
  const dying = pool.run("die");
  const after = pool.run("echo 2");
  assertEquals(await before, "echo 1");
  await assertCode(dying, "worker-died");
  assertEquals(await after, "echo 2");
  assertEquals([replaced.length, pool.size], [1, 1]);
});

Deno.test("what a worker dies of is the cause of the error", async () => {
  await using made = makePool();
  const cases = [
    ["die", Error, "told to die"],
    ["throw", RangeError, "told to throw"],
  ] as const;
  for (const [order, Class, reason] of cases) {
    const error = await made.pool.run(order).catch((error) => error);
    assert(error instanceof SearchError && error.cause instanceof Class);
    assertEquals([error.code, error.cause.message], ["worker-died", reason]);
    const message = `The search worker ended: ${reason}; another one takes its place`;
    assertEquals(error.message, message);
  }
  assertEquals(await made.pool.run("echo"), "echo");
});

Deno.test("a request that takes too long fails with timeout, and the next one is answered", async () => {
  await using made = makePool({ timeoutMs: 1000 });
  const stuck = made.pool.run("hang");
  const next = made.pool.run("echo");
  await assertCode(stuck, "timeout");
  assertEquals(await next, "echo");
});

Deno.test("a worker that cannot start fails the requests, one each", async () => {
  await using made = makePool({ setup: "refuse" });
  await assertCode(made.pool.start(), "index-locked");
  await assertCode(made.pool.run("echo"), "index-locked");
  await using dying = makePool({ setup: "die" });
  await assertCode(dying.pool.run("echo"), "worker-died");
});

Deno.test("a full queue refuses with busy", async () => {
  await using made = makePool({ maxQueued: 2 });
  await made.pool.start();
  const accepted = Array.from({ length: 3 }, () => made.pool.run("echo"));
  await assertCode(made.pool.run("echo"), "busy");
  assertEquals(made.pool.queued, 2);
  assertEquals(await Promise.all(accepted), ["echo", "echo", "echo"]);
  assertEquals(await made.pool.run("echo"), "echo");
});

Deno.test("where too many wait, the last one is refused of whom the most wait for", async () => {
  await using made = makePool({ maxQueued: 4 });
  const { pool } = made;
  await pool.start();
  const run = (name: string, peer: WeakKey, network: string) =>
    pool.run(name, { peer, network }).catch(({ code }) => `${name}: ${code}`);
  const [many, few] = [{}, {}];
  const all = Array.from({ length: 7 }, (_, i) => run(`a${i}`, many, "a"));
  all.push(run("b0", few, "b"), run("b1", few, "b"), run("b2", few, "b"));
  assertEquals(await Promise.all(all), [
    ...["a0", "a1", "a2", "a3: busy", "a4: busy", "a5: busy", "a6: busy"],
    ...["b0", "b1", "b2: busy"],
  ]);
});

Deno.test("what a worker finds costly waits with the costly requests, and is done as one", async () => {
  await using made = makePool({ size: 2 });
  const { pool } = made;
  await pool.start();
  const stuck = pool.run("hang", { isCostly: true });
  const gone = new AbortController();
  const costly = Array.from(
    { length: 3 },
    (_, i) => pool.run(`costly ${i}`, { peer: {}, signal: i === 1 ? gone.signal : undefined }),
  );
  for (let i = 0; i < 5; i++) assertEquals(await pool.run("echo"), "echo");
  assertEquals(pool.queued, 3);
  gone.abort(new Error("gone"));
  await assertRejects(() => costly[1]!, Error, "gone");
  assertEquals(pool.queued, 2);
  const closing = pool.close();
  for (const request of [stuck, costly[0]!, costly[2]!]) await assertCode(request, "closed");
  await closing;
  await using other = makePool({ hasSpare: true });
  assertEquals(await other.pool.run("costly 1"), "costly 1");
});

Deno.test("a request that is aborted leaves the queue", async () => {
  await using made = makePool();
  await made.pool.start();
  const [first, second] = [new AbortController(), new AbortController()];
  const running = made.pool.run("echo 1", { signal: first.signal });
  const waiting = made.pool.run("echo 2", { isCostly: true, signal: second.signal });
  const reason = new Error("not wanted any more");
  first.abort(reason);
  second.abort(reason);
  assertEquals(made.pool.queued, 0);
  for (const request of [running, waiting]) {
    assertEquals(await request.catch((error) => error), reason);
  }
  assertEquals(await made.pool.run("echo 3"), "echo 3");
  await assertRejects(() => made.pool.run("echo", { signal: AbortSignal.abort(reason) }));
});

Deno.test("cheap requests go before costly ones, which have their turn after four", async () => {
  await using made = makePool();
  await made.pool.start();
  const order: string[] = [];
  const run = (name: string, isCostly: boolean) =>
    made.pool.run(name, { isCostly }).then((done) => order.push(done));
  const all = [run("first", false)];
  for (let i = 0; i < 3; i++) all.push(run(`costly${i}`, true));
  for (let i = 0; i < 9; i++) all.push(run(`cheap${i}`, false));
  await Promise.all(all);
  const costly = order.flatMap((name, i) => name.startsWith("costly") ? [i] : []);
  assertEquals(costly, [4, 9, 12]);
});

Deno.test("peers take turns, however many requests one of them has waiting", async () => {
  await using made = makePool();
  await made.pool.start();
  const order: string[] = [];
  const run = (name: string, peer: WeakKey) =>
    made.pool.run(name, { peer }).then((done) => order.push(done));
  const [a, b] = [{}, {}];
  const all = ["a1", "a2", "a3", "a4", "a5"].map((name) => run(name, a));
  all.push(run("b1", b), run("b2", b));
  await Promise.all(all);
  assertEquals(order, ["a1", "a2", "b1", "a3", "b2", "a4", "a5"]);
});

Deno.test("one client's large changes do not hold up another's small one", async () => {
  await using engine = await openSearch({ data: [], writable: true, workers: 1 }) as Engine;
  const client = () => ({ signal: new AbortController().signal });
  const [a, b] = [client(), client()];
  const order: string[] = [];
  const put = (key: string, text: string, from: Client) =>
    engine.put({ key, title: "", text }, from).then(() => order.push(key));
  const large = "some words ".repeat(60_000);
  const all = Array.from({ length: 10 }, (_, i) => put(`a${i}`, large, a));
  all.push(put("b", "small", b));
  await Promise.all(all);
  assert(order.indexOf("b") <= 2, order.join());
  assertEquals(order.filter((key) => key !== "b"), Array.from({ length: 10 }, (_, i) => `a${i}`));
});

Deno.test("where too many changes wait, the last one is refused of whom the most wait for", async () => {
  await using engine = await openSearch({ data: [], writable: true, workers: 1 }) as Engine;
  const client = () => ({ signal: new AbortController().signal });
  const [a, b] = [client(), client()];
  const outcomes: string[] = [];
  const remove = (name: string, from: Client) =>
    engine.delete("none", from).then(() => {}, ({ code }) => void outcomes.push(`${name} ${code}`));
  // The first one is begun, and 4,096 may wait.
  const all = Array.from({ length: 4098 }, (_, i) => remove(`a${i}`, a));
  all.push(remove("b0", b), remove("b1", b));
  await Promise.all(all);
  assertEquals(outcomes, ["a4097 busy", "a4096 busy", "a4095 busy"]);
});

Deno.test("one of several workers is left for cheap requests", async () => {
  await using made = makePool({ size: 2, timeoutMs: 60_000 });
  await made.pool.start();
  const stuck = Array.from({ length: 4 }, () => made.pool.run("hang", { isCostly: true }));
  for (let i = 0; i < 5; i++) assertEquals(await made.pool.run("echo"), "echo");
  const closing = made.pool.close();
  for (const request of stuck) await assertCode(request, "closed");
  await closing;
});

Deno.test("a single worker gets a second one for costly requests when the first of them comes", async () => {
  await using made = makePool({ hasSpare: true });
  const { pool } = made;
  await pool.start();
  assertEquals([await pool.run("echo"), pool.size], ["echo", 1]);
  const stuck = Array.from({ length: 3 }, () => pool.run("hang", { isCostly: true }));
  for (let i = 0; i < 5; i++) assertEquals(await pool.run("echo"), "echo");
  const closing = pool.close();
  for (const request of stuck) await assertCode(request, "closed");
  await closing;
});

Deno.test("an engine replaces a search worker that died, and says so", async () => {
  const observer = new Recorder();
  await using engine = await openWith({ observer, workers: 1 }, { searchWorker: OBEDIENT });
  await assertCode(engine.search("die"), "worker-died");
  await engine.search("fine");
  assertEquals(observer.replaced, ["search"]);
  const { workersReplaced, failed } = await engine.stats();
  assertEquals([workersReplaced, failed], [1, 1]);
});

Deno.test("an engine whose index worker died writes on with another one", async () => {
  await using folder = await Folder.make();
  const indexWorker = new URL("./mortal_index_worker.ts", import.meta.url);
  const observer = new Recorder();
  const options = { index: folder.at("i.db"), data: [], writable: true, observer };
  await using engine = await openWith(options, { indexWorker });
  await engine.put({ key: "a", title: "", text: "before" });
  await assertCode(engine.put({ key: "die", title: "", text: "" }), "worker-died");
  assertEquals(observer.replaced, ["index"]);
  await engine.put({ key: "b", title: "", text: "after" });
  assertEquals([engine.lookup("a")?.text, engine.lookup("b")?.text], ["before", "after"]);
});

Deno.test("searches that are aborted, and the closing of an engine, end the wait", async () => {
  const engine = await openSearch({ workers: 1 });
  const abort = new AbortController();
  const aborted = engine.search("ring", { signal: abort.signal });
  abort.abort(new Error("gone"));
  assertEquals((await aborted.catch((error) => error)).message, "gone");
  const waiting = Array.from({ length: 20 }, () => engine.search("ri*"));
  const outcomes = Promise.allSettled(waiting);
  await engine.close();
  for (const outcome of await outcomes) {
    assert(outcome.status === "fulfilled" || outcome.reason.code === "closed");
  }
});

Deno.test("a process with a closed engine ends by itself", async () => {
  const module = new URL("../../lib/search/mod.ts", import.meta.url).href;
  const program = `
    const { openSearch } = await import(${JSON.stringify(module)});
    const engine = await openSearch({ writable: true });
    const put = engine.put({ key: "a", title: "", text: "b" });
    await engine.close();
    await put;
    console.log("closed");`;
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", program],
    stderr: "inherit",
    signal: AbortSignal.timeout(60_000),
  }).output();
  assert(success);
  assertEquals(new TextDecoder().decode(stdout), "closed\n");
});
