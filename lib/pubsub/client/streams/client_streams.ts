import { checkGiven, checkOptions } from "../../../base/option_kinds.ts";
import { reported } from "../../../base/reported_promise.ts";
import type { FrameHeader, HeaderInit } from "../../../frame/mod.ts";
import { copyStore } from "./store_copy.ts";
import { badAnswer } from "../pubsub_error.ts";
import type { TellError } from "../tell_error.ts";
import type { StreamReadings } from "./stream_readings.ts";
import {
  checkFrom,
  consumerInfoOf,
  settingsFields,
  startFields,
  streamInfoOf,
} from "./stream_fields.ts";
import type {
  ConsumerInfo,
  ReadFrom,
  StreamChange,
  StreamInfo,
  StreamInit,
} from "./stream_types.ts";

/** No broker keeps more streams, or consumers of one. */
const MAX_LISTED = 10_000;

/** Sends a request to the broker, on this connection or the next, and gives the answer's header. */
export type Ask = (op: string, fields: HeaderInit) => Promise<FrameHeader>;

/**
 * Manages the streams of a broker, and their consumers. Each call rejects with a `PubSubError` that
 * has the broker's code, such as `no-stream`, or `disconnected`; with a `TypeError` if what it was given
 * is of a wrong type.
 */
export class ClientStreams {
  readonly #ask: Ask;
  readonly #readings: StreamReadings;
  readonly #tellError: TellError;

  /** Made by a client. */
  constructor(ask: Ask, readings: StreamReadings, tellError: TellError) {
    this.#ask = ask;
    this.#readings = readings;
    this.#tellError = tellError;
  }

  /** Makes a stream. @throws {TypeError | RangeError} if a number will not do; as a rejection. */
  create(name: string, settings: StreamInit): Promise<StreamInfo> {
    return this.#order(async () => {
      return streamInfoOf(await this.#stream("create", name, settingsFields(settings)));
    });
  }

  /** Changes a stream. @throws {TypeError | RangeError} if a number will not do; as a rejection. */
  update(name: string, settings: StreamChange): Promise<StreamInfo> {
    return this.#order(async () => {
      return streamInfoOf(await this.#stream("update", name, settingsFields(settings)));
    });
  }

  /** A stream in figures. */
  async info(name: string): Promise<StreamInfo> {
    return streamInfoOf(await this.#stream("info", name));
  }

  /** All streams on which the client has rights, in the order of their names. */
  async list(): Promise<StreamInfo[]> {
    const fields = (after: string) => ({ do: "list", after });
    return (await this.#pages("stream", "streams", fields, "name")).map(streamInfoOf);
  }

  /** Deletes a stream with all that it holds. */
  delete(name: string): Promise<void> {
    return this.#order(async () => {
      await this.#stream("delete", name);
    });
  }

  /**
   * Drops messages of a stream: all, those before a number, those whose topic a filter matches, or
   * those for which both is so.
   */
  purge(
    name: string,
    which: { readonly beforeSeq?: number | undefined; readonly filter?: string | undefined } = {},
  ): Promise<StreamInfo> {
    return this.#order(async () => {
      checkOptions(which, { filter: "text" }, "which");
      const fields = { "before-seq": which.beforeSeq, topic: which.filter };
      return streamInfoOf(await this.#stream("purge", name, fields));
    });
  }

  /** The consumers of a stream, in the order of their names. */
  async consumers(stream: string): Promise<ConsumerInfo[]> {
    const fields = (after: string) => ({ do: "list", stream, after });
    return (await this.#pages("consumer", "consumers", fields, "consumer")).map(consumerInfoOf);
  }

  /** A consumer in figures. */
  async consumer(stream: string, consumer: string): Promise<ConsumerInfo> {
    return consumerInfoOf(await this.#consumer("info", stream, consumer));
  }

  /** Deletes a consumer. */
  deleteConsumer(stream: string, consumer: string): Promise<void> {
    return this.#order(async () => {
      await this.#consumer("delete", stream, consumer);
    });
  }

  /** Has a consumer begin anew somewhere; its open deliveries are forgotten. */
  resetConsumer(stream: string, consumer: string, from: ReadFrom): Promise<ConsumerInfo> {
    return this.#order(async () => {
      checkFrom(from);
      return consumerInfoOf(await this.#consumer("reset", stream, consumer, startFields(from)));
    });
  }

  /** Has the dead letters of a consumer delivered to it again. @returns How many. */
  redrive(stream: string, consumer: string): Promise<number> {
    return this.#order(async () => {
      return (await this.#consumer("redrive", stream, consumer))["redriven"] as number;
    });
  }

  /**
   * Gets a copy of all that the broker keeps, as it is at one moment: the parts of an SQLite
   * database, which in the folder of another broker is its store.
   *
   * @param onPart Is called with each part, in order: a view that is valid during the call. No
   * further one is read until it returns.
   * @returns The size of the copy in bytes.
   * @throws {PubSubError} `forbidden` without every right to read; `unavailable` while another copy
   * is being sent; `disconnected` if the connection is lost meanwhile. What `onPart` throws.
   */
  async backup(onPart: (part: Uint8Array) => void): Promise<number> {
    checkGiven("onPart", onPart, "function");
    return await copyStore(this.#readings, onPart);
  }

  /** Does something that the program need not wait for: its failure is told by `onError` then. */
  #order<T>(order: () => Promise<T>): Promise<T> {
    return reported(order(), (error) => this.#tellError(error, "An order to streams failed"));
  }

  #stream(what: string, name: string, fields: HeaderInit = {}): Promise<FrameHeader> {
    checkGiven("name", name, "text");
    return this.#ask("stream", { do: what, name, ...fields });
  }

  #consumer(
    what: string,
    stream: string,
    consumer: string,
    fields: HeaderInit = {},
  ): Promise<FrameHeader> {
    checkGiven("stream", stream, "text");
    checkGiven("consumer", consumer, "text");
    return this.#ask("consumer", { do: what, stream, consumer, ...fields });
  }

  /** Asks for one page after the other. @throws {PubSubError} `bad-answer` if a page is none. */
  async #pages(
    op: string,
    list: string,
    fieldsAfter: (after: string) => HeaderInit,
    name: string,
  ): Promise<Record<string, unknown>[]> {
    const all: Record<string, unknown>[] = [];
    let after = "";
    while (true) {
      const { [list]: page, more } = await this.#ask(op, fieldsAfter(after));
      if (!Array.isArray(page)) throw badAnswer(`a list of ${list}`);
      for (const entry of page) {
        const next = entry?.[name];
        // Otherwise a list could go on for ever.
        if (typeof next !== "string" || next <= after) throw badAnswer(`${list} in order`);
        after = next;
        all.push(entry);
      }
      if (more !== true) return all;
      if (page.length === 0 || all.length > MAX_LISTED) throw badAnswer(`an end of the ${list}`);
    }
  }
}
