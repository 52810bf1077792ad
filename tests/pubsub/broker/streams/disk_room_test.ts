/** On a full disk only publications are refused, whatever else is to be written. */
import { assert, assertEquals } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { DiskReserve } from "../../../../lib/pubsub/broker/streams/sqlite/disk_reserve.ts";
import { StreamEngine } from "../../../../lib/pubsub/broker/streams/sqlite/engine.ts";
import type {
  StoreOrder,
  StoreReport,
} from "../../../../lib/pubsub/broker/streams/sqlite/orders.ts";
import { STREAM_SCHEMA } from "../../../../lib/pubsub/broker/streams/sqlite/schema.ts";
import type {
  ConsumerFigures,
  ConsumerSettings,
} from "../../../../lib/pubsub/broker/streams/stream_store.ts";
import { migrate } from "../../../../lib/sqlite/schema.ts";
import { Scratch } from "../../../support/scratch.ts";
import { appendOrder, messagesIn, publication, UNLIMITED } from "./support.ts";

const ACK_WAIT_MS = 100;
const LARGE = "x".repeat(100_000);

/** A store whose disk can be full, with one stream. */
class SmallDisk implements Disposable {
  now = 1_000_000;
  readonly #scratch = new Scratch();
  readonly #db = new DatabaseSync(":memory:");
  readonly #engine: StreamEngine;

  constructor() {
    migrate(this.#db, ":memory:", STREAM_SCHEMA);
    // In a folder that does not exist there is no room.
    const reserve = new DiskReserve(this.#scratch.at("disk/reserve"));
    this.#engine = new StreamEngine(this.#db, { reserve });
    this.perform({ kind: "create", name: "orders", settings: UNLIMITED });
  }

  /** Whether something is to be done at once. */
  get isDue(): boolean {
    return this.#engine.dueAt <= this.now;
  }

  perform(...orders: readonly StoreOrder[]): StoreReport {
    return this.#engine.perform(orders, this.now);
  }

  /** What became of one order: "ok", or the code of its failure. */
  code(order: StoreOrder): string {
    const { results: [result] } = this.perform(order);
    if ("failure" in result!) return result.failure.code;
    const [outcome] = "value" in result! && Array.isArray(result.value) ? result.value : [];
    return (outcome as { code?: string } | undefined)?.code ?? "ok";
  }

  /** @returns the first of the messages that a new consumer gets. */
  consume(consumer: string, member: number, settings: Partial<ConsumerSettings>): number {
    const init = { stream: "orders", consumer, owner: 1, sid: 1, settings, runs: true };
    const start = { from: "all" } as const;
    this.perform({ kind: "join", member, init: { ...init, start, prefetch: undefined } });
    const delivered: number[] = [];
    for (let before = -1; delivered.length > before;) {
      before = delivered.length;
      for (const { bytes } of this.perform({ kind: "hungry", member }).deliveries) {
        for (const { header } of messagesIn(bytes)) delivered.push(header["delivery"] as number);
      }
    }
    return delivered[0]!;
  }

  acknowledge(consumer: string, ...deliveries: readonly number[]): string {
    const about = { stream: "orders", consumer, owner: 1, deliveries, durable: true };
    const settlement = { ...about, kind: "ack", delayMs: undefined, reason: undefined } as const;
    return this.code({ kind: "settle", settlement });
  }

  /** How many dead letters there are. */
  get dead(): number {
    const which = { only: "dead" };
    const [result] = this.perform({ kind: "consumers", stream: "orders", which }).results;
    return (result as { value: ConsumerFigures[] }).value[0]!.dead;
  }

  /** The database has no page that is free, and may have no more. */
  fill(): void {
    this.#db.exec("VACUUM");
    const pages = this.#db.prepare("PRAGMA page_count").get()!["page_count"];
    this.#db.exec(`PRAGMA max_page_count = ${pages}`);
    assertEquals(this.code(appendOrder("orders", publication("orders.a", LARGE))), "storage-full");
  }

  makeRoom(): void {
    Deno.mkdirSync(this.#scratch.at("disk"));
  }

  [Symbol.dispose](): void {
    this.#db.close();
    this.#scratch[Symbol.dispose]();
  }
}

/** What a store has to write on a full disk, beside what it is asked for. */
const CASES: readonly [what: string, prepare: (disk: SmallDisk) => void][] = [
  ["dead letters", (disk) => {
    const large = Array.from({ length: 10 }, () => publication("orders.large", LARGE));
    disk.perform(appendOrder("orders", ...large));
    disk.consume("dead", 1, {
      topic: "orders.large",
      maxAttempts: 1,
      ackWaitMs: ACK_WAIT_MS,
    });
    disk.fill();
  }],
  ["topics and ids of many messages", (disk) => {
    disk.now += 2_000;
    disk.perform(appendOrder("orders", publication("orders.first", "")));
    const many = Array.from({ length: 2_000 }, (_, i) => {
      const name = `${i}${"x".repeat(100)}`;
      return publication(`orders.${name}`, "", { "msg-id": name });
    });
    disk.perform(appendOrder("orders", ...many));
    disk.fill();
  }],
  ["what consumers have taken", (disk) => {
    const many = Array.from({ length: 6_000 }, () => publication("orders.a", ""));
    disk.perform(appendOrder("orders", ...many));
    disk.now += 2_000;
    disk.perform();
    disk.fill();
    for (const i of [1, 2]) disk.consume(`c${i}`, i, { maxUnacked: 10_000 });
  }],
];

for (const [what, prepare] of CASES) {
  Deno.test(`on a full disk acknowledging and purging go on beside ${what}`, () => {
    using disk = new SmallDisk();
    disk.perform(
      appendOrder("orders", ...["a", "b"].map((each) => publication(`orders.${each}`, each))),
    );
    const first = disk.consume("other", 9, { ackWaitMs: 1_000_000, maxUnacked: 2 });
    prepare(disk);
    disk.now += ACK_WAIT_MS;
    for (let i = 0; i < 3; i++) {
      assertEquals(disk.perform().deadLetters, []);
      disk.now += 1_000;
    }
    let times = 0;
    for (; disk.isDue && times < 10; times++) disk.perform();
    assert(times < 10, "it does not try again at once what found no room");
    assertEquals(disk.acknowledge("other", first), "ok");
    assertEquals(
      disk.code({ kind: "purge", name: "orders", beforeSeq: 2, topic: undefined }),
      "ok",
    );
    for (let i = 0; disk.isDue && i < 10; i++) disk.perform();
    assertEquals(disk.acknowledge("other", first + 1), "ok");
    disk.makeRoom();
    disk.now += 2_000;
    assertEquals(disk.code(appendOrder("orders", publication("orders.a", LARGE))), "ok");
    if (what !== "dead letters") return;
    for (let i = 0; i < 5; i++, disk.now += 500) disk.perform();
    assertEquals(disk.dead, 10);
  });
}
