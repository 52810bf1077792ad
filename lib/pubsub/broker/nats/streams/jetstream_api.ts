import {
  type ApiError,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type MsgRequest,
  type StoredMsg,
  type StreamConfig,
} from "@nats-io/jetstream";
import { messageOf } from "../../../../base/message_of.ts";
import type { StreamErrorCode } from "../../../protocol/codes.ts";
import { StreamError } from "../../streams/stream_error.ts";
import type { NatsLink } from "../nats_link.ts";

/** How long an answer of JetStream may take. */
export const REQUEST_MS = 5_000;

/** How many servers keep a stream; in a smaller cluster, one. */
const REPLICAS = 3;

/** How often to try to have streams kept by `REPLICAS` servers, where they are not. */
export const SPREAD_MS = 10_000;

/** JetStream's codes where the cluster has too few servers for that, or not enough yet. */
const NO_PEERS = [10_005, 10_074];

/** JetStream's code where another message was stored meanwhile than the last one that is known. */
export const WRONG_LAST = 10_071;

/** The name of the error of the NATS library, whose class it does not export. */
const WITHOUT_JETSTREAM = "JetStreamNotEnabled";

/** What JetStream's codes mean here. Others are `bad-stream`, or `unavailable` if they may pass. */
const CODES: Readonly<Record<number, StreamErrorCode>> = {
  10_014: "no-consumer",
  10_059: "no-stream",
  10_060: "no-stream",
  10_058: "stream-exists",
  10_065: "stream-overlap",
  [WRONG_LAST]: "wrong-seq",
  10_026: "too-many-consumers",
  10_027: "too-many-streams",
  10_023: "storage-full",
  10_028: "storage-full",
  10_047: "storage-full",
  10_054: "frame-too-large",
  10_077: "stream-full",
  // Another publication with this id is on its way into the stream.
  10_158: "unavailable",
};

/** Makes an error of what JetStream says. @param tried The beginning of a sentence: `Cannot …`. */
export function failureOf(tried: string, failure: ApiError): StreamError {
  const { err_code: number, code: status, description } = failure;
  const code = CODES[number] ?? (status === 503 || status === 500 ? "unavailable" : "bad-stream");
  return new StreamError(code, `${tried}: JetStream says: ${description}`);
}

/** Asks JetStream to do something. All errors become {@linkcode StreamError}s. */
export class JetStreamApi {
  readonly #link: NatsLink;
  #manager: Promise<JetStreamManager> | undefined;

  constructor(link: NatsLink) {
    this.#link = link;
  }

  /**
   * Has something done.
   *
   * @param tried What is tried, as `Cannot make the stream "x"`.
   * @throws {StreamError}
   */
  async do<T>(tried: string, use: (manager: JetStreamManager) => Promise<T>): Promise<T> {
    try {
      this.#manager ??= jetstreamManager(this.#link.connection, {
        timeout: REQUEST_MS,
        checkAPI: false,
      });
      return await use(await this.#manager);
    } catch (error) {
      throw asStreamError(tried, error);
    }
  }

  /** The same; `undefined` where what it is about does not exist. */
  async find<T>(
    tried: string,
    use: (manager: JetStreamManager) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await this.do(tried, use);
    } catch (error) {
      const { code } = error as StreamError;
      if (code === "no-stream" || code === "no-consumer") return undefined;
      throw error;
    }
  }

  /**
   * Asks for something for which the official client has no words.
   *
   * @param what The subject, behind that of all requests.
   * @throws {StreamError}
   */
  async ask<T>(tried: string, what: string, request: object): Promise<T> {
    return await this.do(tried, async () => {
      const { connection } = this.#link;
      const options = { timeout: REQUEST_MS };
      const answer = await connection.request(
        `$JS.API.${what}`,
        JSON.stringify(request),
        options,
      );
      const { error, ...rest } = answer.json<T & { readonly error?: ApiError }>();
      if (error) throw failureOf(tried, error);
      return rest as T;
    });
  }

  /**
   * The number of the first message of a stream from one on with a subject, as its leader has it;
   * `undefined` if there is none.
   *
   * @throws {StreamError}
   */
  async nextSeq(stream: string, seq: number, subject: string): Promise<number | undefined> {
    const query = { seq, next_by_subj: subject };
    return (await this.messageOf("Cannot read a stream", stream, query))?.seq;
  }

  /**
   * A message of a stream, as its leader has it; `undefined` if there is none.
   *
   * @throws {StreamError} also where there is no such stream.
   */
  async messageOf(
    tried: string,
    stream: string,
    query: MsgRequest,
  ): Promise<StoredMsg | undefined> {
    const get = (manager: JetStreamManager) => manager.streams.getMessage(stream, query);
    return await this.do(tried, get) ?? undefined;
  }

  /** Makes a stream on three servers, or on one where there are not enough. */
  async addStream(tried: string, config: Partial<StreamConfig> & { name: string }): Promise<void> {
    await this.do(tried, (manager) => addReplicated(manager, config));
  }

  /**
   * Has a stream kept by three servers, if it is not and they are there. Does not fail.
   *
   * @returns Whether it was not kept by as many, and it was tried.
   */
  async spread(config: StreamConfig): Promise<boolean> {
    const isAlone = this.#link.connection.info?.cluster === undefined;
    if (config.num_replicas >= REPLICAS || isAlone) return false;
    const change = { num_replicas: REPLICAS };
    await this.do("", (manager) => manager.streams.update(config.name, change)).catch(() => {});
    return true;
  }
}

/** Makes a stream on three servers, or on one where there are not enough. */
export async function addReplicated(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<void> {
  try {
    await manager.streams.add({ ...config, num_replicas: REPLICAS });
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || !NO_PEERS.includes(error.code)) throw error;
    await manager.streams.add(config);
  }
}

/** Whether something failed because no server has JetStream, or not for this account. */
export function isWithoutJetStream(error: unknown): boolean {
  const { cause } = error as { readonly cause?: unknown };
  return cause instanceof Error && cause.name === WITHOUT_JETSTREAM;
}

function asStreamError(tried: string, error: unknown): StreamError {
  if (error instanceof StreamError) return error;
  if (error instanceof JetStreamApiError) return failureOf(tried, error.apiError());
  // No answer, no connection, or no JetStream.
  const message = `${tried}: JetStream is unavailable: ${messageOf(error)}`;
  return new StreamError("unavailable", message, undefined, { cause: error });
}
