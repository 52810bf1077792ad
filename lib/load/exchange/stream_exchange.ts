import type { AnswerReader, OnAnswer } from "../answers/answer_reader.ts";
import { EchoReader } from "../answers/echo_reader.ts";
import { Expectation } from "../answers/expectation.ts";
import { FramedReader } from "../answers/framed_reader.ts";
import { RenderedEchoReader } from "../answers/rendered_echo_reader.ts";
import { SilentReader } from "../answers/silent_reader.ts";
import type { ResolvedPlan } from "../load_plan.ts";
import { type MessageSource, PatternMessage, Payload } from "../payload.ts";
import { RenderedMessages, Template } from "../template.ts";
import { StreamWire } from "./stream_wire.ts";
import type { Exchange, Wire, WireListener } from "./wire.ts";

/** The most messages in one write of an open loop. */
const OPEN_LOOP_BATCH = 64;

/** Messages of bytes, and answers that end as the plan says. */
export class StreamExchange implements Exchange {
  readonly maxUnderWay: number;
  readonly inOrder = true;
  readonly answers = 1;
  readonly oneMessage: boolean;
  readonly #plan: ResolvedPlan;
  /** What all connections send, where it is the same. */
  readonly #payload: Payload | undefined;
  readonly #messages: readonly (Template | Uint8Array)[];
  readonly #expectation: Expectation | undefined;

  /** Lays out what is sent. */
  constructor(plan: ResolvedPlan) {
    const { messages, answer, pipeline, ratePerSecond, messageBytes, expect } = plan;
    this.#plan = plan;
    this.oneMessage = answer === "close";
    this.maxUnderWay = this.oneMessage ? 1 : Infinity;
    const encoder = new TextEncoder();
    this.#messages = messages.map((each) =>
      typeof each !== "string"
        ? each
        : Template.has(each)
        ? new Template(each)
        : encoder.encode(each)
    );
    const fixed = messageBytes !== undefined
      ? [new PatternMessage(messageBytes)]
      : this.#messages.filter((each) => each instanceof Uint8Array);
    const mostAtOnce = ratePerSecond === undefined ? pipeline : OPEN_LOOP_BATCH;
    if (messageBytes !== undefined || fixed.length === messages.length) {
      this.#payload = new Payload(fixed, mostAtOnce);
    }
    this.#expectation = expect === undefined ? undefined : new Expectation(expect);
  }

  /** Gives the connection a reader of its answers. */
  open(conn: Deno.Conn, id: number, first: number, listener: WireListener): Promise<Wire> {
    const { answer, verify, connections } = this.#plan;
    const payload = this.#payload;
    const onAnswer = this.#onAnswer(listener);
    let reader: AnswerReader;
    let echoes: RenderedEchoReader | undefined;
    if (answer === "none") reader = new SilentReader(onAnswer);
    else if (answer !== "echo") {
      reader = new FramedReader(answer, this.#expectation !== undefined, onAnswer);
    } else if (payload) reader = new EchoReader(payload, first, verify, onAnswer);
    else reader = echoes = new RenderedEchoReader(onAnswer);
    const source: MessageSource = payload ??
      new RenderedMessages(this.#messages, id, connections, echoes);
    return Promise.resolve(new StreamWire(conn, source, reader, listener));
  }

  /** None. */
  counts(): Readonly<Record<string, number>> {
    return {};
  }

  /** Nothing is to be ended. */
  async close(): Promise<void> {}

  #onAnswer(listener: WireListener): OnAnswer {
    const expectation = this.#expectation;
    if (expectation === undefined) return (count, bytes) => listener.answered(count, bytes);
    return (count, bytes, content) => {
      const text = expectation.wrongness(content!);
      const wrong = { code: "unexpected", text: text! } as const;
      listener.answered(count, bytes, text === undefined ? undefined : { wrong });
    };
  }
}
