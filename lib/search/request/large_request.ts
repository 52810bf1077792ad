/**
 * Parses requests that are too large for the thread that serves: it would answer nobody meanwhile.
 * This is done in a worker.
 *
 * @module
 */
import { ContentError } from "../../frame/content.ts";
import { Frame } from "../../frame/frame.ts";
import type { FrameHeader } from "../../frame/mod.ts";
import { RequestError } from "../../request/request_error.ts";
import { entryProblem } from "../entry_problem.ts";
import { MAX_INLINE_BYTES, MAX_LARGE_VALUES } from "../limits.ts";
import { putFields, requestObject, textField } from "./fields.ts";

/** A request to be parsed. */
export interface LargeRequest {
  /** The content, in memory of its own. */
  readonly content: Uint8Array;
  /** The fields of the header by which the content is decoded. */
  readonly header: FrameHeader;
}

/** What a large request asks for: an entry to store, whose texts are UTF-8; or what is wrong. */
export type ParsedRequest =
  | { readonly key: string; readonly title: Uint8Array; readonly text: Uint8Array }
  | { readonly code: string; readonly message: string };

const encoder = new TextEncoder();

/**
 * Parses a large request. Only `put` has a reason to be large, so it must be one.
 *
 * @param maxEntryBytes The largest title and text together.
 */
export function parseLargeRequest(request: LargeRequest, maxEntryBytes: number): ParsedRequest {
  try {
    return parse(request, maxEntryBytes);
  } catch (error) {
    if (!(error instanceof RequestError || error instanceof ContentError)) throw error;
    return { code: error.code, message: error.message };
  }
}

function parse({ content, header }: LargeRequest, maxEntryBytes: number): ParsedRequest {
  const frame = new Frame(header, content, 0, 0, content.length);
  const source = frame.text();
  checkValues(source);
  const fields = requestObject(parseJson(source));
  if (textField(fields, "action") !== "put") {
    const message = `A request of more than ${MAX_INLINE_BYTES} bytes must be a put`;
    throw new RequestError("bad-request", message);
  }
  const { key, title, text } = putFields(fields);
  const problem = entryProblem(key, { title, text }, maxEntryBytes);
  if (problem !== undefined) {
    throw new RequestError("bad-entry", `The entry cannot be stored: ${problem}`);
  }
  return { key, title: encoder.encode(title), text: encoder.encode(text) };
}

/** As {@linkcode Frame.json} does it, of a content that was decoded already. */
function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch (error) {
    throw new RequestError("bad-json", `The content is not JSON: ${(error as Error).message}`);
  }
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Refuses a text with very many values before it is parsed: 16 MiB of empty arrays take 1 s and 300
 * MiB of memory, a single string of that size 20 ms.
 *
 * @throws {RequestError}
 */
function checkValues(text: string): void {
  let values = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (inString) {
      if (code === QUOTE) inString = false;
      else if (code === BACKSLASH) i++;
    } else if (code === QUOTE) inString = true;
    // A comma, or the beginning of an array or an object: each value but the first follows one.
    else if (code === 0x2c || code === 0x5b || code === 0x7b) {
      if (++values > MAX_LARGE_VALUES) {
        const message = `A request of more than ${MAX_INLINE_BYTES} bytes may have at most ` +
          `${MAX_LARGE_VALUES} values`;
        throw new RequestError("bad-request", message);
      }
    }
  }
}
