/**
 * A broker's process that is killed again and again, while a client publishes to be stored,
 * consumes, acknowledges and purges.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { Frame } from "../../../../lib/frame/mod.ts";
import { dial } from "../../../../lib/net/mod.ts";
import { script, ServerProgram } from "../../../support/programs.ts";
import { op, RawPeer } from "../../support.ts";
import { Random } from "../../../soak/random.ts";

/** Publications that wait for their confirmation at one time. */
const OUTSTANDING = 32;

const CONSUMER = { stream: "orders", consumer: "billing" };

/** How the process is started and what is done after it was killed. */
export interface CrashOptions {
  /** The folder of the store. */
  readonly folder: string;
  /** Variables for the process. */
  readonly env?: Record<string, string>;
  /** How the stream's commits reach the disk. @default {"always"} */
  readonly sync?: "always" | "interval";
  /** Whether somebody consumes in every round; otherwise in every other one. */
  readonly consumes?: boolean;
  /** Decides when it is killed. */
  readonly random?: Random;
  /** Called when the process is dead. */
  readonly onKilled?: () => Promise<void>;
}

/** What was confirmed, so that it must be there whatever happens. */
export class CrashLoop {
  /** The numbers of confirmed publications, by their content. */
  readonly stored: Map<string, number> = new Map();
  /** Contents whose acknowledgement was confirmed. */
  readonly acked: Set<string> = new Set();
  /** All before it was purged. */
  purged = 1;
  readonly #options: CrashOptions;
  readonly #random: Random;
  /** Publications that were sent and are not confirmed: they are sent again. */
  readonly #open = new Set<number>();
  #next = 1;
  /** The highest number that was confirmed. */
  #last = 0;
  #rounds = 0;
  /** All before it may be purged, whether that was confirmed or not. */
  #purging = 1;

  constructor(options: CrashOptions) {
    this.#options = options;
    this.#random = options.random ?? new Random(7);
  }

  /**
   * Works for a while, and kills the broker meanwhile. In every other round nobody consumes: what is
   * published is in the journal then, and not in the database, when the broker is killed.
   */
  async round(): Promise<void> {
    const { folder, env, sync, onKilled } = this.#options;
    const args = script("cmd/broker.ts", "127.0.0.1:0", "--store", folder);
    {
      await using broker = await ServerProgram.start(args, { env });
      using peer = new RawPeer(await dial(broker.address));
      const create = { do: "create", name: "orders", topics: ["orders.>"], sync };
      await peer.send(op("stream", { ...create, id: 1 }));
      // From the second round on it is there.
      await peer.header();
      // Some confirmations on, at any moment.
      const enough = this.stored.size + 20 + this.#random.next() * 150;
      let isDying = false;
      const onStored = () => {
        if (this.stored.size < enough || isDying) return;
        isDying = true;
        setTimeout(() => broker.kill("SIGKILL"), this.#random.next() * 20);
      };
      const consumes = this.#options.consumes ?? this.#rounds++ % 2 === 0;
      await this.#work(peer, onStored, consumes).catch((error) => {
        if (!isDying) throw error;
      });
    }
    await onKilled?.();
  }

  /** What is there at last is what was confirmed. */
  async check(): Promise<{ lost: number }> {
    const { folder, env } = this.#options;
    const args = script("cmd/broker.ts", "127.0.0.1:0", "--store", folder);
    await using broker = await ServerProgram.start(args, { env });
    using peer = new RawPeer(await dial(broker.address));
    await peer.send(op("sub", { stream: "orders", sid: 1, from: "all" }));
    const found = new Map<string, number>();
    let expected: number | undefined;
    for (let frame = await peer.frame(); frame.header["op"] === "pub"; frame = await peer.frame()) {
      const seq = frame.header["seq"] as number;
      assertEquals(seq, expected ?? seq, "no number is missing or twice there");
      assert(seq >= this.purged, "what was purged is gone");
      expected = seq + 1;
      assert(!found.has(frame.text()), `${frame.text()} is stored once`);
      found.set(frame.text(), seq);
    }
    let lost = 0;
    for (const [content, seq] of this.stored) {
      if (seq >= this.#purging && found.get(content) !== seq) lost++;
    }
    await peer.send(op("unsub", { sid: 1, id: 1 }));
    await this.#drain(peer);
    return { lost };
  }

  /** Until the connection breaks. */
  async #work(peer: RawPeer, onStored: () => void, consumes: boolean): Promise<void> {
    if (consumes) {
      await peer.send(op("consume", { ...CONSUMER, sid: 2, id: 2, "max-attempts": 0 }));
    }
    for (const number of this.#open) await this.#publish(peer, number);
    const acking = new Map<number, string[]>();
    let lastId = 1_000_000_000;
    while (true) {
      while (this.#open.size < OUTSTANDING) {
        this.#open.add(this.#next);
        await this.#publish(peer, this.#next++);
      }
      const { header, text } = textOf(await peer.frame());
      const { op: name, id } = header as { op: string; id?: number };
      if (name === "pub") {
        assert(!this.acked.has(text), `${text} was acknowledged`);
        acking.set(++lastId, [text]);
        const deliveries = [header["delivery"]];
        await peer.send(op("ack", { ...CONSUMER, deliveries, id: lastId }));
      } else if (name === "ok" && acking.has(id!)) {
        for (const each of acking.get(id!)!) this.acked.add(each);
        acking.delete(id!);
      } else if (name === "ok" && header["seq"] !== undefined) {
        const seq = header["seq"] as number;
        const known = this.stored.get(`m${id! - 10}`);
        assertEquals(seq, known ?? seq, "a retry has the number of the first try");
        // What a kill took would leave its numbers to what comes after it.
        if (known === undefined) assert(seq > this.#last, `${seq} comes after ${this.#last}`);
        this.#last = Math.max(this.#last, seq);
        this.stored.set(`m${id! - 10}`, seq);
        this.#open.delete(id! - 10);
        onStored();
        if (seq % 100 === 0) {
          const purge = { do: "purge", name: "orders", "before-seq": seq - 80, id: 3 };
          this.#purging = Math.max(this.#purging, seq - 80);
          await peer.send(op("stream", purge));
        }
      } else if (name === "ok" && id === 3) {
        this.purged = Math.max(this.purged, header["first-seq"] as number);
      }
    }
  }

  async #publish(peer: RawPeer, number: number): Promise<void> {
    const name = `m${number}`;
    const fields = { topic: "orders.x", stored: true, "msg-id": name, id: number + 10 };
    await peer.send(op("pub", fields, name));
  }

  /** All that is left is delivered, and none of it was acknowledged before. */
  async #drain(peer: RawPeer): Promise<void> {
    await peer.send(op("consume", { ...CONSUMER, sid: 2, id: 2 }));
    const info = () => peer.send(op("consumer", { ...CONSUMER, do: "info", id: 4 }));
    // What was purged is not delivered, so how many come is not known: it is asked for until all is done.
    await info();
    while (true) {
      const { header, text } = textOf(await peer.frame());
      if (header["op"] === "pub") {
        assert(!this.acked.has(text), `${text} was acknowledged, and is delivered again`);
        await peer.send(op("ack", { ...CONSUMER, deliveries: [header["delivery"]] }));
      } else if (header["id"] === 4) {
        assertEquals(header["op"], "ok", JSON.stringify(header));
        if (header["pending"] === 0 && header["unacked"] === 0) return;
        await info();
      }
    }
  }
}

function textOf(frame: Frame): { header: Record<string, unknown>; text: string } {
  return { header: frame.header, text: frame.text() };
}
