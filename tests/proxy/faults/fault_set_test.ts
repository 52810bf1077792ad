import { assert, assertEquals } from "@std/assert";
import { FaultSet } from "../../../lib/proxy/faults/fault_set.ts";
import { parseFault } from "../../../lib/proxy/mod.ts";
import { deadline } from "../../support/deadline.ts";
import { FakeClock } from "../../support/fake_clock.ts";

const FAULTS = [parseFault("both delay 1ms")];

/** Connections that take long to look which faults concern them. */
class Slow implements Disposable {
  readonly set = new FaultSet(1, () => {});
  readonly told: number[] = [];
  readonly listeners: (() => void)[] = [];
  readonly #clock = new FakeClock();

  constructor(count: number) {
    while (this.listeners.length < count) this.add();
  }

  add(): void {
    const i = this.listeners.length;
    this.listeners[i] = () => {
      this.told.push(i);
      this.#clock.nowMs += 1;
    };
    this.set.listen(this.listeners[i]!);
  }

  /** Lets some more be told. */
  async step(): Promise<void> {
    await deadline(new Promise((resolve) => setTimeout(resolve, 0)));
  }

  async all(): Promise<void> {
    for (let before = -1; before < this.told.length;) {
      before = this.told.length;
      await this.step();
      await this.step();
    }
  }

  [Symbol.dispose](): void {
    this.set[Symbol.dispose]();
    this.#clock[Symbol.dispose]();
  }
}

Deno.test("of many connections a few are told of other faults at once, the others in steps", async () => {
  using slow = new Slow(1_000);
  slow.set.set(FAULTS);
  const first = slow.told.length;
  assert(first > 0 && first < 100, `${first}`);
  await slow.step();
  assert(slow.told.length < 300, `${slow.told.length}`);
  await slow.all();
  assertEquals(slow.told, slow.listeners.map((_, i) => i));
});

Deno.test("all are told of the last change that comes while others are told, and who comes or goes", async () => {
  using slow = new Slow(500);
  slow.set.set(FAULTS);
  await slow.step();
  slow.set.unlisten(slow.listeners[499]!);
  slow.set.set([]);
  const before = slow.told.length;
  slow.add();
  slow.add();
  await slow.all();
  const told = new Set(slow.told.slice(before));
  for (let i = 0; i < 499; i++) assert(told.has(i), `${i} is told`);
  assert(!told.has(499));
  assert(slow.told.length - before < 510, "each once");
  slow.told.length = 0;
  slow.set.set(FAULTS);
  slow.set[Symbol.dispose]();
  const last = slow.told.length;
  await slow.all();
  assertEquals(slow.told.length, last, "nobody is told once it is over");
});
