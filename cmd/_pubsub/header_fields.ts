import { UsageError } from "../_cli/mod.ts";

/** The flag `-H`: fields of the publications' headers. */
export const headerFlag = {
  header: {
    type: "string",
    short: "H",
    repeat: true,
    placeholder: "NAME=VALUE",
    help: "add a field with this text to the header of the messages",
  },
} as const;

/**
 * Fields that say how a publication travels. Other flags set them, or others than the publisher.
 */
const OTHERWISE: Readonly<Record<string, string>> = {
  op: "it is always pub",
  topic: "it is an argument",
  id: "--confirm sets it",
  retain: "use --retain",
  "reply-to": "use --reply-to",
  "content-type": "use --content-type",
  "content-length": "it is the size of the message",
  group: "the broker sets it",
  sid: "the broker sets it",
  stored: "use --stored",
};

/** Fields that the broker adds to a delivery: to a member of a group, and to a reader of a stream. */
const OF_GROUPS = ["group", "filter"];
const OF_STREAMS = ["sid", "stream", "seq", "time", "consumer", "delivery", "attempt"];

/**
 * Reads the values of `-H`.
 *
 * @throws {UsageError} if one is not NAME=VALUE, or is a field that is set otherwise.
 */
export function parseHeaderFields(texts: readonly string[]): Readonly<Record<string, string>> {
  const fields = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    if (equals < 1) throw new UsageError(`--header: cannot read ${text} as NAME=VALUE`);
    const name = text.slice(0, equals);
    const other = Object.hasOwn(OTHERWISE, name) ? OTHERWISE[name] : undefined;
    if (other !== undefined) throw new UsageError(`--header ${name}: ${other}`);
    if (fields.has(name)) throw new UsageError(`--header ${name}: it is given twice`);
    fields.set(name, text.slice(equals + 1));
  }
  return Object.fromEntries(fields);
}

/** The fields of a header as `sub --json` prints it that a publication has of its own. */
export function ownFields(header: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const added = [
    ...header["group"] === undefined ? [] : OF_GROUPS,
    ...header["sid"] === undefined ? [] : OF_STREAMS,
  ];
  return Object.fromEntries(
    Object.entries(header).filter(([name]) =>
      !Object.hasOwn(OTHERWISE, name) && !added.includes(name)
    ),
  );
}
