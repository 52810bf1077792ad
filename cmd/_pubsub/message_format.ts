import type { PubSubMessage } from "../../lib/pubsub/mod.ts";
import { suggestion, UsageError } from "../_cli/mod.ts";
import { contentText } from "./content_text.ts";

/** What a message has to show, by the name of the field. */
const FIELDS: Readonly<Record<string, (message: PubSubMessage, time: Date) => string>> = {
  topic: ({ topic }) => topic,
  text: (message) => contentText(message) ?? message.content.toBase64(),
  base64: ({ content }) => content.toBase64(),
  size: ({ content }) => String(content.length),
  time: (_, time) => time.toISOString(),
  type: ({ header }) => header["content-type"],
  "reply-to": ({ replyTo = "" }) => replyTo,
  group: ({ group = "" }) => group,
  retained: ({ retained }) => String(retained),
};

const HEADER = "header.";

/** The fields that a format may have, for the help. */
export const FORMAT_FIELDS: string = [...Object.keys(FIELDS), `${HEADER}NAME`]
  .map((name) => `{${name}}`).join(", ");

/** Shows a message, which came at this time; `safe` is called with what its publisher wrote. */
export type MessageFormat = (
  message: PubSubMessage,
  time: Date,
  safe: (text: string) => string,
) => string;

/**
 * Reads a `--format`: text with fields in braces. `\t` and `\n` stand for a tab and the end of a
 * line, `{{` and `}}` for a brace, `\\` for a backslash.
 *
 * @throws {UsageError} if it has an unknown field, or a brace that is not closed.
 */
export function parseFormat(text: string): MessageFormat {
  const parts: MessageFormat[] = [];
  for (const [piece] of text.matchAll(/\{\{|\}\}|\{[^{}]*\}?|\}|\\[tn\\]|[^{}\\]+|\\/g)) {
    if (piece.startsWith("{") && piece !== "{{") parts.push(fieldOf(piece));
    else if (piece === "}") throw new UsageError("--format: write }} for a single }");
    else {
      const literal = LITERALS[piece] ?? piece;
      parts.push(() => literal);
    }
  }
  return (message, time, safe) => parts.map((part) => part(message, time, safe)).join("");
}

const LITERALS: Readonly<Record<string, string>> = {
  "{{": "{",
  "}}": "}",
  "\\t": "\t",
  "\\n": "\n",
  "\\\\": "\\",
};

function fieldOf(piece: string): MessageFormat {
  if (!piece.endsWith("}")) throw new UsageError(`--format: ${piece} is not closed`);
  const name = piece.slice(1, -1);
  if (name.startsWith(HEADER)) return headerField(name.slice(HEADER.length));
  const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
  if (field) return (message, time, safe) => safe(field(message, time));
  throw new UsageError(
    `--format: there is no field ${piece}${suggestion(name, Object.keys(FIELDS))}`,
  );
}

/** A field of the header: text as it is, else its JSON; nothing if it is not there. */
function headerField(name: string): MessageFormat {
  return ({ header }, _, safe) => {
    const value = header[name];
    return safe(typeof value === "string" ? value : JSON.stringify(value) ?? "");
  };
}
