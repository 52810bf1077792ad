/** The search app's client: `socktool app-client`. */
import type { Frame, OutgoingFrame } from "../lib/frame/mod.ts";
import { ContentError } from "../lib/frame/content.ts";
import { jsonFrame } from "../lib/frame/frame_encoder.ts";
import { FrameError } from "../lib/frame/frame_error.ts";
import type { Latencies } from "../lib/base/latencies.ts";
import type { Address } from "../lib/net/mod.ts";
import { formatAddress } from "../lib/net/address.ts";
import type { Reply } from "../lib/request/mod.ts";
import { exchange } from "../lib/request/exchange.ts";
import { RequestError } from "../lib/request/request_error.ts";
import {
  clientTlsFlags,
  clientTlsOf,
  connectTimeoutFlag,
  type Context,
  credentialFlags,
  defineCommand,
  EXIT,
  helloOf,
  jsonFlag,
  quietFlag,
  runMain,
  UsageError,
} from "./_cli/mod.ts";
import { saysFailed } from "./_cli/failed_answer.ts";
import { summarizeLatencies } from "./_cli/latency_summary.ts";
import { actionRequests, ACTIONS, checkWords } from "./_search/action_requests.ts";
import { printAnswer } from "./_search/answer_lines.ts";

export const command = defineCommand({
  name: "app-client",
  summary: "send a request to an app server and print its answer",
  arguments: {
    address: {
      type: "address",
      webSocket: true,
      default: "127.0.0.1:5634",
      help: "the server, or ws://HOST:PORT/ws of its --http",
    },
    action: {
      type: "string",
      known: ACTIONS,
      help: "`search`, `get`, `suggest`, `put`, `delete` or `stats`; any other word for the " +
        "tutorial's binary request",
    },
    value: {
      type: "string",
      optional: true,
      help: "what to search for, or the key; - reads one value per line from stdin. stats has none",
    },
    text: {
      type: "string",
      optional: true,
      help: "the text to put under the key; - reads all of stdin",
    },
  },
  flags: {
    as: {
      type: "choice",
      choices: ["auto", "json", "binary"],
      default: "auto",
      help: "send a JSON or a binary request; auto: JSON for the server's actions, else binary",
    },
    field: {
      type: "string",
      repeat: true,
      placeholder: "NAME=VALUE",
      help: "add a field to the JSON request; VALUE is read as JSON, or else as text",
    },
    limit: { type: "count", help: "ask for up to this many ranked hits, and print them" },
    exact: {
      type: "boolean",
      help: "find only what has all words as they are: no corrected spelling, no other words",
    },
    repeat: { type: "count", min: 1, default: "1", help: "send each request this many times" },
    pipeline: {
      type: "count",
      min: 1,
      max: 65_536,
      default: "1",
      help: "have up to this many requests outstanding",
    },
    ...connectTimeoutFlag,
    timeout: {
      type: "duration",
      default: "30s",
      min: 1,
      help: "give up on an answer after this time",
    },
    ...credentialFlags,
    ...clientTlsFlags,
    ...jsonFlag,
    ...quietFlag,
  },
  examples: [
    ["socktool app-client 127.0.0.1 5634 search morpheus", "look up a key"],
    ["socktool app-client search 'white rab*' --limit 5", "the five best matches"],
    ["socktool app-client 127.0.0.1 5634 binary 😃", "the tutorial's binary request"],
    ["socktool app-client search - --pipeline 64 < words.txt", "a search for each line of a file"],
    ["socktool app-client search ring --repeat 10k --pipeline 16", "how fast the server answers"],
    ["socktool app-client put neo 'The One'", "store an entry in a server that is --writable"],
    ["socktool app-client put notes - --field title=Notes < notes.txt", "store a file"],
    ["socktool app-client get neo", "an entry's text; delete removes it"],
    ["socktool app-client suggest mor", "complete what was typed so far"],
    ["socktool app-client stats", "the server's figures"],
  ],
  exitCodes: { 1: "failed, or an answer said that the request failed" },
  async run({ flags, args, given }, context) {
    const { address, action, value, text } = args;
    const asJson = flags.as === "json" || (flags.as === "auto" && ACTIONS.includes(action));
    for (const flag of ["field", "limit", "exact"]) {
      if (given.has(flag) && !asJson) {
        throw new UsageError(`--${flag} needs a JSON request: add --as json`);
      }
    }
    const fields = {
      ...fieldsOf(flags.field),
      ...(flags.limit === undefined ? {} : { limit: flags.limit }),
      ...(flags.exact ? { exact: true } : {}),
    };
    const words = { action, value, text, asJson, fields };
    checkWords(words);
    const requests = actionRequests(words, context);
    const latencies = flags.repeat > 1 ? await emptyLatencies() : undefined;
    let failed = false;
    let answers = 0;
    const startedAt = performance.now();
    try {
      for await (
        const { reply, latencyMs } of exchange(address, repeated(requests, flags.repeat), {
          tls: await clientTlsOf(flags, context),
          greeting: greetingOf(flags),
          timeoutMs: flags["connect-timeout"],
          answerTimeoutMs: flags.timeout,
          pipeline: flags.pipeline,
          signal: context.signal,
        })
      ) {
        answers++;
        latencies?.record(latencyMs);
        const answer = readAnswer(reply);
        failed ||= answer.failed;
        // With --repeat the times matter, so only the first answer is printed.
        if (latencies === undefined || answers === 1) await print(answer, context, flags);
      }
    } catch (error) {
      throw explained(error, address);
    } finally {
      if (latencies && answers > 0) {
        const summary = summarizeLatencies(latencies, performance.now() - startedAt);
        if (flags.json) await context.out.json({ type: "summary", ...summary.json });
        else context.log.info(summary.text);
      }
    }
    return failed ? EXIT.failed : EXIT.ok;
  },
});

/** Says whose answer it is that cannot be read. */
function explained(error: unknown, address: Address): unknown {
  if (!(error instanceof FrameError || error instanceof ContentError)) return error;
  const { code, message } = error;
  const where = formatAddress(address);
  return new RequestError(code, `The answer of ${where} cannot be read: ${message}`, {
    cause: error,
  });
}

/** Loads the histogram library only where latencies are measured: few runs do. */
async function emptyLatencies(): Promise<Latencies> {
  const { Latencies, loadHistogramLibrary } = await import("../lib/base/latencies.ts");
  return new Latencies(await loadHistogramLibrary());
}

/** A frame read as an answer. */
interface Answer {
  readonly frame: Frame;
  /** The JSON object, if it is one. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
  readonly failed: boolean;
}

function readAnswer(reply: Reply): Answer {
  if (reply.header["content-type"] !== "text/json") {
    return { frame: reply, json: undefined, failed: false };
  }
  const value = reply.json();
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const json = isObject ? value as Record<string, unknown> : { result: value };
  return { frame: reply, json, failed: !reply.ok || saysFailed(json) };
}

async function print(
  { frame, json }: Answer,
  context: Context,
  flags: { readonly json: boolean; readonly limit: number | undefined },
): Promise<void> {
  const { out } = context;
  if (flags.json) return await out.json(json ?? binaryAnswer(frame));
  if (!json) return await out.line(out.safe(textOf(frame)));
  await printAnswer(json, context, flags);
}

/** The content as text; as a JSON string if it is not valid UTF-8. */
function textOf(frame: Frame): string {
  const text = new TextDecoder().decode(frame.content);
  return text.includes("\ufffd") ? JSON.stringify(text) : text;
}

function binaryAnswer(frame: Frame): object {
  return { header: frame.header, base64: frame.content.toBase64() };
}

async function* repeated(
  requests: AsyncIterable<OutgoingFrame>,
  repeat: number,
): AsyncGenerator<OutgoingFrame> {
  for await (const request of requests) for (let i = 0; i < repeat; i++) yield request;
}

function fieldsOf(fields: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(fields.map((field) => {
    const equals = field.indexOf("=");
    if (equals < 1) throw new UsageError(`--field: write NAME=VALUE, not ${JSON.stringify(field)}`);
    const [name, text] = [field.slice(0, equals), field.slice(equals + 1)];
    try {
      return [name, JSON.parse(text)];
    } catch {
      return [name, text];
    }
  }));
}

/** The login that each connection begins with; `undefined` without credentials. */
function greetingOf(flags: Parameters<typeof helloOf>[0]): OutgoingFrame | undefined {
  const hello = helloOf(flags);
  return hello === undefined ? undefined : jsonFrame(hello);
}

if (import.meta.main) await runMain(command);
