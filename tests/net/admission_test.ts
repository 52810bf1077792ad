import { assertEquals } from "@std/assert";
import { Admission } from "../../lib/net/admission.ts";

/** An admission whose turns come when they are given, and what it has let in. */
class TestAdmission {
  readonly admitted: string[] = [];
  /** How many may still go on without a turn. */
  left = 0;
  #turn = Promise.withResolvers<void>();
  readonly admission = new Admission<string>(
    {
      takeIfBusy: () => this.left-- > 0 ? undefined : this.#turn.promise,
    },
    (item) => this.admitted.push(item),
    (item) => this.gone.has(item),
  );
  /** Those that were given up while they waited. */
  readonly gone = new Set<string>();

  /** Each item belongs to the network of its first letter. */
  add(...items: string[]): void {
    for (const item of items) this.admission.add(item[0]!, item);
  }

  /** Gives a turn in which so many are let in. */
  async give(count: number): Promise<string[]> {
    this.admitted.length = 0;
    this.left = count - 1;
    const { resolve } = this.#turn;
    this.#turn = Promise.withResolvers();
    resolve();
    for (let i = 0; i < 5; i++) await undefined;
    return [...this.admitted];
  }
}

Deno.test("where nobody is busy, who arrives is let in at once", () => {
  const test = new TestAdmission();
  test.left = 2;
  test.add("a1", "b1", "a2");
  assertEquals([test.admitted, test.admission.size], [["a1", "b1"], 1]);
});

Deno.test("networks take turns, and of each the first and the last that came", async () => {
  const test = new TestAdmission();
  test.add("a1", "a2", "a3", "a4", "a5");
  assertEquals(await test.give(1), ["a1"]);
  test.add("b1", "c1", "b2", "b3");
  assertEquals(await test.give(4), ["a5", "b1", "c1", "a2"]);
  test.add("a6");
  assertEquals(await test.give(3), ["b3", "a6", "b2"]);
  assertEquals(await test.give(2), ["a3", "a4"]);
  test.add("d1");
  assertEquals(await test.give(1), ["d1"]);
});

Deno.test("who was given up meanwhile takes no turn, and is not let in", async () => {
  const test = new TestAdmission();
  test.add("a1", "a2", "a3", "a4", "a5", "a6", "b1");
  for (const gone of ["a1", "a2", "a6", "b1"]) test.gone.add(gone);
  assertEquals(await test.give(1), ["a3"]);
  assertEquals(await test.give(3), ["a5", "a4"]);
  assertEquals(test.admission.size, 0);
});

Deno.test("those that wait are taken out at the end, and let in no more", async () => {
  const test = new TestAdmission();
  test.add("a1", "b1", "a2");
  test.admission.clear();
  assertEquals([await test.give(1), test.admission.size], [[], 0]);
  test.left = 1;
  test.add("c1");
  assertEquals(test.admitted, ["c1"]);
});

Deno.test("of those that wait, the oldest is taken out of the network with the most", async () => {
  const test = new TestAdmission();
  test.add("b1", "a1", "a2", "a3", "b2");
  const taken = [1, 2, 3].map(() => test.admission.takeOldest());
  assertEquals([taken, test.admission.size], [["a1", "b1", "a2"], 2]);
  assertEquals(await test.give(5), ["b2", "a3"]);
  assertEquals(test.admission.takeOldest(), undefined);
});

Deno.test("those that have sent something go first; one in four is one that has not", async () => {
  const test = new TestAdmission();
  const [, second] = ["a1", "b2", "a3", "a4"].map((item) =>
    test.admission.addSilent(item[0]!, item)
  );
  test.add("a5", "a6", "a7", "a8");
  assertEquals(await test.give(3), ["a5", "a8", "a6"]);
  test.admission.hasSent(second!);
  assertEquals([await test.give(3), test.admission.size], [["a1", "a7", "b2"], 2]);
  // It has left the line.
  test.admission.hasSent(second!);
  assertEquals(await test.give(3), ["a4", "a3"]);
});

Deno.test("those that have sent nothing are taken out before the others", () => {
  const test = new TestAdmission();
  test.add("a1", "a2");
  const [b] = ["b1", "b2", "c1"].map((item) => test.admission.addSilent(item[0]!, item));
  test.admission.hasSent(b!);
  const taken = Array.from({ length: 6 }, () => test.admission.takeOldest());
  assertEquals(taken, ["b2", "c1", "a1", "a2", "b1", undefined]);
});

Deno.test("while all that wait have sent nothing, there are other turns, until one has", async () => {
  const admitted: string[] = [];
  const silent = Promise.withResolvers<void>();
  let asked = 0;
  const admission = new Admission<string>({
    takeIfBusy: () => undefined,
    takeForSilent: () => asked++ === 0 ? undefined : silent.promise,
  }, (item) => admitted.push(item));
  for (const item of ["a1", "a2", "a3"]) admission.addSilent("a", item);
  admission.add("a", "a4");
  assertEquals([admitted, admission.size, admission.sentSize], [["a1"], 3, 1]);
  silent.resolve();
  for (let i = 0; i < 5; i++) await undefined;
  assertEquals(admitted, ["a1", "a4", "a2", "a3"]);
});
