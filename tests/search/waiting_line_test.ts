import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { WaitingLine } from "../../lib/search/worker/waiting_line.ts";

const peers = new Map<string, { readonly name: string }>();

/** A job by its name: of the connection `a2` of the network `a`, for instance. */
function job(name: string, i = 0) {
  const peer = peers.get(name) ?? { name };
  peers.set(name, peer);
  return { peer, network: name[0]!, name: `${name}#${i}` };
}
type Job = ReturnType<typeof job>;

function lineOf(...jobs: Job[]): WaitingLine<Job> {
  const line = new WaitingLine<Job>();
  for (const each of jobs) line.push(each);
  return line;
}

const many = (count: number, peer: string) => Array.from({ length: count }, (_, i) => job(peer, i));

function drained(line: WaitingLine<Job>): string {
  const names: string[] = [];
  for (let next = line.next; next; next = line.next) {
    assertEquals(line.shift(), next);
    names.push(next.peer.name);
  }
  assertEquals([line.size, line.clear()], [0, []]);
  return names.join(" ");
}

Deno.test("networks take turns, and in each its peers, whatever they have waiting", () => {
  assertEquals(
    drained(lineOf(...many(3, "a1"), ...many(2, "a2"), job("a3"), ...many(3, "b1"))),
    "a1 b1 a2 b1 a3 b1 a1 a2 a1",
  );
});

Deno.test("who asks now and then waits for one other of the network, not for all who ask at once", () => {
  const line = lineOf(job("a9"), ...["1", "2", "3", "4"].map((n) => job(`a${n}`)));
  let last = line.shift()!.peer.name;
  /** Everybody but a9 asks again as soon as it was answered. */
  const turn = () => {
    const next = line.shift()!;
    if (next.peer.name !== "a9") line.push(next);
    return last = next.peer.name;
  };
  for (const rest of [0, 1, 2, 3, 4, 5, 20]) {
    for (let i = 0; i < rest; i++) turn();
    line.push(job("a9"));
    // Within four turns the others have had one each.
    let waited = 0;
    while (turn() !== "a9") waited++;
    assertEquals(waited, rest < 4 ? 4 : 0, `after ${rest} turns of others`);
  }
  assertEquals(last, "a9");
});

Deno.test("who asks for little each time waits for one or two of those who ask for much at once", () => {
  for (const share of [1, 0.01]) {
    const line = lineOf(...Array.from({ length: 30 }, (_, n) => job(`a${n}`)));
    const little = { ...job("a99"), share };
    line.push(little);
    const waits: number[] = [];
    for (let waited = 0; waits.length < 40; waited++) {
      const next = line.shift()!;
      line.push(next);
      if (next !== little) continue;
      waits.push(waited);
      waited = -1;
    }
    // In its first turns it is new, as everybody is.
    const most = Math.max(...waits.slice(10));
    assertEquals(most, share === 1 ? 30 : 1, `${waits}`);
  }
});

Deno.test("who has rested and asks for much has one turn before the others", () => {
  const line = lineOf(job("a9"), ...many(3, "a1"));
  for (let i = 0; i < 2; i++) line.shift();
  for (const each of [...many(3, "a2"), ...many(3, "a9")]) line.push(each);
  assertEquals(drained(line), "a9 a1 a2 a9 a1 a2 a9 a2");
});

Deno.test("others have every second turn beside connections that are kept for later", () => {
  const line = new WaitingLine<Job>();
  for (let i = 10; i < 40; i++) line.meet(job(`a${i}`));
  for (const each of many(9, "a1")) line.push(each);
  for (let i = 0; i < 3; i++) line.shift();
  for (let i = 10; i < 40; i++) line.push(job(`a${i}`));
  line.push(job("a2"));
  let waited = 0;
  while (line.shift()!.peer.name !== "a2") waited++;
  assertEquals(waited, 3);
  line.clear();
});

Deno.test("what is taken out of a line has no turn", () => {
  const jobs = [...many(2, "a1"), job("a2"), job("b1")];
  const line = lineOf(...jobs);
  assertEquals([line.delete(jobs[0]!), line.delete(jobs[0]!), line.size], [true, false, 3]);
  assertEquals([line.delete(jobs[3]!), line.delete(job("c1")), line.size], [true, false, 2]);
  assertEquals(drained(line), "a1 a2");
});

Deno.test("the last one goes of whom the most wait for, if that is more than the newcomer has", () => {
  const cases: [waiting: Job[], newcomer: string, goes: string | undefined][] = [
    [[], "a1", undefined],
    [many(9, "a1"), "a1", undefined],
    [many(9, "a1"), "a2", "a1#8"],
    [many(9, "a1"), "b1", "a1#8"],
    // A connection for each request is no way to have more of them waiting.
    [["1", "2", "3", "4"].map((n) => job(`a${n}`)), "a5", undefined],
    [["1", "2", "3", "4"].map((n) => job(`a${n}`)), "b1", "a1#0"],
    [[...many(3, "a1"), ...many(2, "b1")], "b2", "b1#1"],
    [[...many(3, "a1"), ...many(2, "b1")], "b1", undefined],
    [[...many(4, "a1"), ...many(2, "a2"), ...many(5, "b1")], "c1", "a1#3"],
    [[...many(2, "a1"), ...many(2, "b1"), job("c1")], "c1", undefined],
  ];
  for (const [waiting, newcomer, goes] of cases) {
    const found = lineOf(...waiting).heaviest(job(newcomer));
    assertEquals(found?.name, goes, `${waiting.map(({ name }) => name)} and ${newcomer}`);
  }
});

Deno.test("a job that has not to wait counts as one that waited for nobody", () => {
  const names = fc.constantFrom("a1", "a2", "a3", "b1");
  const asked = fc.record({
    name: names,
    share: fc.constantFrom(1, 0.3, 0.01),
    isAnswered: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(asked, { maxLength: 60 }), (all) => {
    const [pushed, passed] = [lineOf(), lineOf()];
    for (const [i, { name, share, isAnswered }] of all.entries()) {
      const each = { ...job(name, i), share };
      if (pushed.size === 0 && isAnswered) {
        pushed.push(each);
        pushed.shift();
        passed.pass(each);
        continue;
      }
      pushed.push(each);
      passed.push(each);
      if (isAnswered) assertEquals(passed.shift(), pushed.shift());
    }
    while (pushed.size > 0) assertEquals(passed.shift(), pushed.shift());
  }));
});
