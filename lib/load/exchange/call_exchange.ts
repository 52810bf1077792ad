import { setImmediate } from "node:timers";
import { closeQuietly } from "../../base/close_quietly.ts";
import { messageOf } from "../../base/message_of.ts";
import { ConnectionError } from "../../net/mod.ts";
import { LoadError } from "../load_error.ts";
import type {
  ExchangeFunction,
  ExchangeMessage,
  ExchangeOutcome,
  LoadExchange,
  OpenExchange,
} from "./user_exchange.ts";
import type { Exchange, Wire, WireListener, WireOutcome } from "./wire.ts";

/** Calls of one connection that may be under way: each holds a promise. */
const MAX_CALLS = 1_024;

/** The most characters of an error that are shown. */
const SHOWN_CHARS = 100;

/** Calls that are made in one go. */
const CALLS_AT_ONCE = 64;

/** An exchange that the library's user wrote. */
export class CallExchange implements Exchange {
  readonly maxUnderWay: number;
  readonly inOrder = false;
  readonly answers: number;
  readonly oneMessage = false;
  readonly #exchange: LoadExchange;
  readonly #connections: number;

  /** @param connections How many there are in all threads. */
  constructor(exchange: LoadExchange | OpenExchange, connections: number) {
    this.#exchange = typeof exchange === "function" ? { open: exchange } : exchange;
    const { answers } = this.#exchange;
    this.answers = answers ?? 1;
    // Of several answers one may be lost, and its message stays under way.
    this.maxUnderWay = answers === undefined ? MAX_CALLS : Infinity;
    this.#connections = connections;
  }

  /** Has the user's function take the connection over. */
  async open(conn: Deno.Conn, id: number, _: number, listener: WireListener): Promise<Wire> {
    const exchange = await this.#exchange.open(conn, id);
    return new CallWire(conn, exchange, this.#exchange.answers === undefined, (number) => ({
      seq: number * this.#connections + id,
      connection: id,
      answered: (outcome) => listener.settled(number, outcome?.bytes ?? 0, outcomeOf(outcome)),
    }), listener);
  }

  /** What the user counted. */
  counts(): Readonly<Record<string, number>> {
    return this.#exchange.counts?.() ?? {};
  }

  /** Lets the user end what he began. */
  async close(): Promise<void> {
    await this.#exchange.close?.();
  }
}

/** Calls a function for each message. */
class CallWire implements Wire {
  progress = 0;
  readonly #conn: Deno.Conn;
  readonly #exchange: ExchangeFunction;
  readonly #promiseTells: boolean;
  readonly #messageOf: (number: number) => ExchangeMessage;
  readonly #listener: WireListener;
  #sending = false;
  readonly #ended = Promise.withResolvers<void>();

  constructor(
    conn: Deno.Conn,
    exchange: ExchangeFunction,
    promiseTells: boolean,
    messageOf: (number: number) => ExchangeMessage,
    listener: WireListener,
  ) {
    this.#conn = conn;
    this.#exchange = exchange;
    this.#promiseTells = promiseTells;
    this.#messageOf = messageOf;
    this.#listener = listener;
  }

  flush(): void {
    if (!this.#sending) void this.#send();
  }

  run(): Promise<void> {
    return this.#ended.promise;
  }

  close(): void {
    this.#ended.resolve();
    closeQuietly(this.#conn);
  }

  async #send(): Promise<void> {
    this.#sending = true;
    while (true) {
      const first = this.#listener.next;
      const count = this.#listener.take(CALLS_AT_ONCE);
      if (count === 0) break;
      for (let number = first; number < first + count; number++) void this.#call(number);
      // A function that resolves at once must not keep timers and sockets waiting.
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    this.#sending = false;
  }

  async #call(number: number): Promise<void> {
    const message = this.#messageOf(number);
    try {
      const outcome = await this.#exchange(message);
      this.progress++;
      if (this.#promiseTells) message.answered(outcome ?? undefined);
    } catch (error) {
      if (isOfConnection(error)) return this.#ended.reject(error);
      this.progress++;
      const wrong = { code: "failed", text: shortened(messageOf(error)) } as const;
      this.#listener.settled(number, 0, { wrong });
    }
  }
}

function outcomeOf(outcome: ExchangeOutcome | undefined): WireOutcome | undefined {
  if (outcome?.kind === undefined && outcome?.error === undefined) return undefined;
  const { kind, error } = outcome;
  if (error === undefined) return { kind };
  return { kind, wrong: { code: "refused", text: shortened(error) } };
}

function shortened(text: string): string {
  return text.length > SHOWN_CHARS ? `${text.slice(0, SHOWN_CHARS)}…` : text;
}

/** Whether an error says that the connection is gone, and not only that one message failed. */
function isOfConnection(error: unknown): boolean {
  if (error instanceof LoadError || error instanceof ConnectionError) return true;
  return Object.values(Deno.errors).some((each) => error instanceof each);
}
