import { Condition } from "../../base/condition.ts";
import { checkGiven } from "../../base/option_kinds.ts";
import { sleep } from "../../base/sleep.ts";
import { type Address, dial, type DialOptions } from "../../net/mod.ts";
import { Player } from "./player.ts";
import { ReplayTally } from "./replay_tally.ts";
import type { Recording, ReplaySession, ReplayStep } from "./recording.ts";
import {
  type ReplayNumbers,
  replayNumbers,
  type ReplayOptions,
  type ReplayResult,
} from "./replay_options.ts";

/** Options of {@linkcode replayClient}. */
export interface ReplayClientOptions extends ReplayOptions {
  /** How connections are made. */
  readonly dial?: DialOptions | undefined;
}

/**
 * Plays the clients of a recording: opens the connections, sends what they sent, in the recorded
 * order, and waits for as many answers as came then.
 *
 * @throws {TypeError | RangeError} if a number is none, or out of bounds.
 * @throws {ConnectionError} with operation `connect` if a connection cannot be made.
 */
export async function replayClient(
  recording: Recording,
  address: Address | string,
  options: ReplayClientOptions = {},
): Promise<ReplayResult> {
  checkGiven("recording", recording, "object");
  return await new ClientReplay(address, options, replayNumbers(options)).run(recording.steps);
}

class ClientReplay {
  readonly #address: Address | string;
  readonly #options: ReplayClientOptions;
  readonly #numbers: ReplayNumbers;
  readonly #ignored: ReadonlySet<string> | undefined;
  readonly #players = new Map<ReplaySession, Player>();
  /** Players that wait for answers. */
  readonly #behind = new Set<Player>();
  readonly #progress = new Condition();
  readonly #tally = new ReplayTally();

  constructor(address: Address | string, options: ReplayClientOptions, numbers: ReplayNumbers) {
    this.#address = address;
    this.#options = options;
    this.#numbers = numbers;
    this.#ignored = options.check ? new Set(options.ignore) : undefined;
  }

  async run(steps: readonly ReplayStep[]): Promise<ReplayResult> {
    const { signal } = this.#options;
    const [first] = steps;
    const startedAt = performance.now();
    const stop = () => this.#progress.notify();
    signal?.addEventListener("abort", stop, { once: true });
    try {
      for (const step of steps) {
        if (signal?.aborted) break;
        await this.#untilDue(step, first!.timeUs, startedAt);
        await this.#play(step);
      }
      await this.#answered();
    } finally {
      signal?.removeEventListener("abort", stop);
      for (const player of this.#players.values()) await this.#tally.close(player);
    }
    return this.#tally.result();
  }

  async #untilDue(step: ReplayStep, firstUs: number, startedAt: number): Promise<void> {
    const { pace = "answers", signal } = this.#options;
    if (pace === "recorded") {
      const dueMs = (step.timeUs - firstUs) / 1_000 / this.#numbers.speed;
      const waitMs = startedAt + dueMs - performance.now();
      if (waitMs > 0) await sleep(waitMs, signal ?? new AbortController().signal);
    }
    const isOurs = step.kind === "open" || step.kind === "close" ||
      step.kind === "end" && step.direction === "up" ||
      step.kind === "bytes" && step.direction === "up";
    // A connection is closed when its answers have come, at any pace.
    if (isOurs && (pace === "answers" || step.kind === "close")) await this.#answered();
  }

  async #play(step: ReplayStep): Promise<void> {
    const player = this.#players.get(step.session);
    switch (step.kind) {
      case "open":
        return await this.#open(step.session);
      case "bytes":
        if (!player) return;
        if (step.direction === "down") return this.#expect(player, step.bytes);
        this.#tally.sentBytes += step.bytes.length;
        return await player.send(step.bytes);
      case "end":
        if (player && step.direction === "up") await player.end();
        return;
      case "close":
        if (!player) return;
        this.#players.delete(step.session);
        return await this.#tally.close(player);
    }
  }

  async #open(session: ReplaySession): Promise<void> {
    const { dial: how, signal, onDifference } = this.#options;
    const conn = await dial(this.#address, { ...how, signal });
    this.#tally.connections++;
    const player: Player = new Player(conn, session, {
      side: "up",
      ignored: this.#ignored,
      onDifference: (difference) => {
        this.#tally.differences++;
        onDifference?.(difference);
      },
      onProgress: () => {
        if (player.isUpToDate || player.hasEnded) this.#behind.delete(player);
        if (this.#behind.size === 0) this.#progress.notify();
      },
    });
    this.#players.set(session, player);
  }

  #expect(player: Player, bytes: Uint8Array): void {
    player.expect(bytes.length);
    if (!player.isUpToDate && !player.hasEnded) this.#behind.add(player);
  }

  /** Waits until all that was recorded so far has come, or for the time limit. */
  async #answered(): Promise<void> {
    const { signal } = this.#options;
    if (this.#behind.size === 0 || signal?.aborted) return;
    const timer = setTimeout(() => this.#progress.notify(), this.#numbers.answerTimeoutMs);
    await this.#progress.wait();
    clearTimeout(timer);
    // Who is late is not waited for again.
    for (const player of this.#behind) this.#tally.late.add(player);
    this.#behind.clear();
  }
}
