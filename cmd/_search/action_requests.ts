/**
 * What `app-client` sends for its words.
 *
 * @module
 */
import type { OutgoingFrame } from "../../lib/frame/mod.ts";
import { jsonFrame } from "../../lib/frame/frame_encoder.ts";
import { type Context, UsageError } from "../_cli/mod.ts";
import { readLines } from "../_cli/read_lines.ts";

/** The actions of an app server that go out as JSON by themselves. */
export const ACTIONS: readonly string[] = ["search", "get", "suggest", "put", "delete", "stats"];

/** The most bytes of stdin that are stored as one entry: no server takes more. */
const MAX_TEXT_BYTES = 64 * 1024 * 1024;

/** The words of a command line, and what goes with them. */
export interface ActionWords {
  readonly action: string;
  readonly value: string | undefined;
  readonly text: string | undefined;
  /** Whether the request is JSON. */
  readonly asJson: boolean;
  /** Further fields of a JSON request. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/**
 * The requests that the words ask for: one, or one for each line of stdin where the value is `-`.
 *
 * @param words Words that {@linkcode checkWords} let pass.
 */
export async function* actionRequests(
  words: ActionWords,
  input: Pick<Context, "stdin" | "signal">,
): AsyncGenerator<OutgoingFrame> {
  const { action, value, text, asJson, fields } = words;
  const json = (more: object) => jsonFrame({ action, ...more, ...fields });
  if (action === "put" && asJson && text !== undefined) {
    yield json({ key: value, value: text === "-" ? await readAll(input) : text });
  } else if (action === "stats" && asJson && value === undefined) yield json({});
  else {
    const values = value === "-" ? readLines(input.stdin(), input.signal) : [value!];
    for await (const each of values) {
      yield asJson ? json({ value: each }) : binaryRequest(action, each);
    }
  }
}

/** @throws {UsageError} if a word is missing, or one is too many. */
export function checkWords({ action, value, text, asJson, fields }: ActionWords): void {
  if (action === "") throw new UsageError("ACTION is empty");
  if (value === undefined && !(action === "stats" && asJson)) {
    throw new UsageError(action === "put" ? "put: name the KEY and the TEXT" : "VALUE is missing");
  }
  const takesText = action === "put" && asJson;
  if (takesText && text === undefined && !("key" in fields)) {
    throw new UsageError("put: name the TEXT behind the KEY, or - to read it from stdin");
  }
  if (text === undefined || takesText) return;
  const quoted = JSON.stringify(text);
  throw new UsageError(
    `too many arguments: ${quoted} (quote a text of several words; if ${JSON.stringify(action)} ` +
      "is the address, write it as HOST:PORT)",
  );
}

async function readAll({ stdin, signal }: Pick<Context, "stdin" | "signal">): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for await (const chunk of stdin()) {
    signal.throwIfAborted();
    bytes += chunk.length;
    if (bytes > MAX_TEXT_BYTES) {
      throw new UsageError(
        `put: stdin has more than ${MAX_TEXT_BYTES} bytes, which no server takes`,
      );
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function binaryRequest(action: string, value: string): OutgoingFrame {
  const content = new TextEncoder().encode(action + value);
  return { header: { "content-type": "binary/custom-client-binary-type" }, content };
}
