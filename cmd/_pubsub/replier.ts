import { timerMs } from "../../lib/base/timer_ms.ts";
import type { PubSubMessage } from "../../lib/pubsub/mod.ts";
import { describeError, formatBytes, formatCount, formatDuration, type Log } from "../_cli/mod.ts";
import { utf8Text } from "../_cli/utf8_text.ts";
import { killLeftovers, ProcessGroup } from "./process_group.ts";

/** How a {@linkcode Replier} runs its command. */
export interface ReplierOptions {
  /** The command is ended after this time. */
  readonly timeoutMs: number;
  /** How many commands may run at the same time. */
  readonly parallel: number;
  /** The command is ended when its output exceeds this size. */
  readonly maxBytes: number;
}

/**
 * Answers requests with what a shell command prints. The command gets the content on stdin and the
 * topic as SOCKTOOL_TOPIC. If it fails, the reason is logged and no reply is sent, so the
 * requester's time runs out.
 */
export class Replier {
  readonly #command: string;
  readonly #options: ReplierOptions;
  readonly #log: Log;
  readonly #stop = Promise.withResolvers<void>();
  readonly #runs = new Set<Promise<void>>();
  #stopped = false;
  #unanswered = 0;

  constructor(command: string, options: ReplierOptions, log: Log) {
    this.#command = command;
    this.#options = options;
    this.#log = log;
  }

  /** Answers a message. Resolves when the next one can be answered. */
  async answer(message: PubSubMessage): Promise<void> {
    if (message.replyTo === undefined) {
      this.#log.warn(`${message.topic}: no reply is asked for`);
      return;
    }
    await this.#room();
    if (this.#stopped) {
      this.#unanswered++;
      return;
    }
    const run = this.#answer(message).finally(() => this.#runs.delete(run));
    this.#runs.add(run);
    await this.#room();
  }

  /** Resolves when no command runs. */
  async settled(): Promise<void> {
    while (this.#runs.size > 0) await Promise.all(this.#runs);
  }

  /** Ends all commands and starts no more. Resolves when they have ended. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stop.resolve();
    await this.settled();
    await killLeftovers();
  }

  /** Logs how many requests arrived after {@linkcode stop}. */
  tellUnanswered(): void {
    if (this.#unanswered === 0) return;
    this.#log.warn(`${formatCount(this.#unanswered, "request")} came too late to be answered`);
  }

  async #room(): Promise<void> {
    while (this.#runs.size >= this.#options.parallel) await Promise.race(this.#runs);
  }

  /** Never rejects. */
  async #answer(message: PubSubMessage): Promise<void> {
    try {
      const output = await this.#run(message);
      // While disconnected the reply waits, but not longer than this program.
      await Promise.race([message.respond(utf8Text(output) ?? output), this.#stop.promise]);
    } catch (error) {
      this.#log.error(`${this.#command}: ${describeError(error)}; no reply is sent`);
    }
  }

  /** @throws {Error} that says why there is no reply. */
  async #run({ topic, content }: PubSubMessage): Promise<Uint8Array> {
    const { timeoutMs, maxBytes } = this.#options;
    const problem = Promise.withResolvers<string>();
    const pieces: Uint8Array[] = [];
    let size = 0;
    const env = { SOCKTOOL_TOPIC: topic };
    const group = new ProcessGroup(this.#command, env, timeoutMs, content, (piece) => {
      size += piece.length;
      if (size <= maxBytes) pieces.push(piece);
      else problem.resolve(`it prints more than ${formatBytes(maxBytes)}`);
    });
    const timer = setTimeout(() => {
      problem.resolve(`it takes longer than ${formatDuration(timeoutMs)}`);
    }, timerMs("timeoutMs", timeoutMs));
    const stopped = this.#stop.promise.then<string | number>(() =>
      group.hasExited ? group.ended : "it was ended"
    );
    const outcome = await Promise.race([group.ended, problem.promise, stopped]);
    clearTimeout(timer);
    if (typeof outcome === "string") {
      await group.end();
      throw new Error(outcome);
    }
    if (outcome !== 0) throw new Error(`exit code ${outcome}`);
    // The command may have ended together with the piece that was too much.
    if (size > maxBytes) throw new Error(await problem.promise);
    return await new Blob(pieces as Uint8Array<ArrayBuffer>[]).bytes();
  }
}
