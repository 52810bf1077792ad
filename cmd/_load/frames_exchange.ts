/**
 * What `load --protocol frames` does on a connection: requests in frames, and their answers. Workers
 * load it as a module.
 *
 * @module
 */
import { EncodedFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { Expectation } from "../../lib/load/answers/expectation.ts";
import { type ExchangeOutcome, LoadError, type OpenExchange } from "../../lib/load/mod.ts";
import { Template } from "../../lib/load/template.ts";
import { FramesConn } from "../../lib/net/dial_frames.ts";
import { addressOf } from "../../lib/net/mod.ts";
import { saysFailed } from "../_cli/failed_answer.ts";
import { type Reply, RequestClient } from "../../lib/request/mod.ts";

/** What is asked; it can be sent to a thread. */
export interface FramesOptions {
  /** Requests as JSON, in which placeholders are filled in; they are sent in this order. */
  readonly requests: readonly string[];
  /** What each answer must contain or match. */
  readonly expect: string | undefined;
  /** A request that each connection makes first; its answer is not measured. */
  readonly greeting: string | undefined;
}

/** A request that is made over and over. */
interface Request {
  /** What latencies are told by. */
  readonly kind: string;
  frame(seq: number, conn: number): EncodedFrame;
}

/** Makes the exchange. */
export default function framesExchange(
  { requests: texts, expect, greeting }: FramesOptions,
): OpenExchange {
  const requests = texts.map(requestOf);
  const expectation = expect === undefined ? undefined : new Expectation(expect);
  return async (conn) => {
    const client = new RequestClient(new FramesConn(conn, addressOf(conn.remoteAddr)));
    if (greeting !== undefined) await greet(client, greeting);
    return async ({ seq, connection }): Promise<ExchangeOutcome> => {
      const { kind, frame } = requests[(seq - 1) % requests.length]!;
      const reply = await client.request(frame(seq, connection), { raw: true });
      return { kind, bytes: reply.bytes.length, error: errorOf(reply, expectation) };
    };
  };
}

/** Makes the first request. An answer that tells of a failure ends the connection. */
async function greet(client: RequestClient, greeting: string): Promise<void> {
  const { error } = await client.request(encoded(greeting), { raw: true });
  if (error) throw new LoadError("refused", `the server refused it: ${error.message}`);
}

/** What is wrong with an answer; `undefined` if it is right. */
function errorOf(reply: Reply, expectation: Expectation | undefined): string | undefined {
  const { error } = reply;
  if (error) return error.code;
  if (saysSo(reply)) return reply.text();
  return expectation?.wrongness(reply.buffer.subarray(reply.contentStart, reply.end));
}

/** Answers of this size are read: failures are told shortly. */
const READ_BYTES = 1_024;

/** Whether an answer tells of a failure as the tutorial's server does. */
function saysSo(reply: Reply): boolean {
  if (reply.header["content-type"] !== "text/json") return false;
  if (reply.end - reply.contentStart > READ_BYTES) return false;
  try {
    const value: unknown = reply.json();
    return typeof value === "object" && value !== null && saysFailed({ ...value });
  } catch {
    return true;
  }
}

function requestOf(text: string, index: number): Request {
  const fixed = Template.has(text) ? undefined : encoded(text);
  const template = new Template(text);
  return {
    kind: kindOf(template.render({ seq: 0, conn: 0 }), index),
    frame: (seq, conn) => fixed ?? encoded(template.render({ seq, conn })),
  };
}

function encoded(text: string): EncodedFrame {
  return EncodedFrame.encode(jsonFrame(JSON.parse(text)));
}

/** A request's action, or its place among the requests. */
function kindOf(text: string, index: number): string {
  const action: unknown = JSON.parse(text)?.action;
  return typeof action === "string" && action !== "" ? action : `request ${index + 1}`;
}
