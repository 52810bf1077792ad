import { Condition } from "../../base/condition.ts";
import { checkGiven } from "../../base/option_kinds.ts";
import { sleep } from "../../base/sleep.ts";
import { Acceptor } from "../../net/acceptor.ts";
import type { Listener } from "../../net/mod.ts";
import { Turns } from "../../net/turns.ts";
import { Player } from "./player.ts";
import type { Recording, ReplaySession, ReplayStep } from "./recording.ts";
import {
  type ReplayNumbers,
  replayNumbers,
  type ReplayOptions,
  type ReplayResult,
} from "./replay_options.ts";
import { ReplayTally } from "./replay_tally.ts";

/**
 * Plays the server of a recording: the first client that connects gets what the first one got, and so
 * on. What the server sent goes out when as many requests have come as had come then. It ends when
 * all recorded connections were played; it closes the listener.
 *
 * @throws {TypeError | RangeError} if a number is none, or out of bounds.
 */
export async function serveReplay(
  recording: Recording,
  listener: Listener,
  options: ReplayOptions = {},
): Promise<ReplayResult> {
  checkGiven("recording", recording, "object");
  checkGiven("listener", listener, "object");
  const numbers = replayNumbers(options);
  using _listener = listener;
  const tally = new ReplayTally();
  const turns = new Turns();
  // A client that has gone before it was accepted gets nothing: the next one does.
  const acceptor = new Acceptor(listener, turns, () => {});
  const stop = () => acceptor.stop();
  const { signal } = options;
  if (signal?.aborted) stop();
  signal?.addEventListener("abort", stop, { once: true });
  const stepsOf = Map.groupBy(recording.steps, ({ session }) => session);
  const played: Promise<void>[] = [];
  try {
    for (const session of recording.sessions) {
      const conn = await acceptor.next();
      if (!conn) break;
      tally.connections++;
      played.push(new SessionReplay(conn, session, tally, options, numbers).run(
        stepsOf.get(session) ?? [],
      ));
    }
    acceptor.stop();
    await Promise.all(played);
  } finally {
    signal?.removeEventListener("abort", stop);
    await turns.close();
  }
  return tally.result();
}

/** Plays the server's side of one connection. */
class SessionReplay {
  readonly #player: Player;
  readonly #tally: ReplayTally;
  readonly #options: ReplayOptions;
  readonly #numbers: ReplayNumbers;
  readonly #progress = new Condition();

  constructor(
    conn: Deno.Conn,
    session: ReplaySession,
    tally: ReplayTally,
    options: ReplayOptions,
    numbers: ReplayNumbers,
  ) {
    this.#tally = tally;
    this.#options = options;
    this.#numbers = numbers;
    this.#player = new Player(conn, session, {
      side: "down",
      ignored: options.check ? new Set(options.ignore) : undefined,
      onDifference: (difference) => {
        tally.differences++;
        options.onDifference?.(difference);
      },
      onProgress: () => this.#progress.notify(),
    });
  }

  async run(steps: readonly ReplayStep[]): Promise<void> {
    const startedAt = performance.now();
    const { pace = "answers", signal = new AbortController().signal } = this.#options;
    const stop = () => this.#progress.notify();
    signal.addEventListener("abort", stop, { once: true });
    for (const step of steps) {
      if (signal.aborted) break;
      if (step.kind === "bytes" && step.direction === "up") {
        this.#player.expect(step.bytes.length);
        continue;
      }
      if (step.kind === "open" || (step.kind === "end" && step.direction === "up")) continue;
      if (pace === "recorded") {
        const dueMs = (step.timeUs - steps[0]!.timeUs) / 1_000 / this.#numbers.speed;
        await sleep(Math.max(0, startedAt + dueMs - performance.now()), signal);
      }
      if (pace === "answers" || step.kind === "close") await this.#requested(signal);
      await this.#play(step);
    }
    signal.removeEventListener("abort", stop);
    await this.#tally.close(this.#player);
  }

  async #play(step: ReplayStep): Promise<void> {
    if (step.kind === "end") return await this.#player.end();
    if (step.kind !== "bytes") return;
    this.#tally.sentBytes += step.bytes.length;
    await this.#player.send(step.bytes);
  }

  /** Waits until as many requests have come as had come then, or for the time limit. */
  async #requested(signal: AbortSignal): Promise<void> {
    const end = performance.now() + this.#numbers.answerTimeoutMs;
    while (!this.#player.isUpToDate && !this.#player.hasEnded && !signal.aborted) {
      const timer = setTimeout(() => this.#progress.notify(), end - performance.now());
      await this.#progress.wait();
      clearTimeout(timer);
      if (performance.now() >= end) break;
    }
  }
}
