import { concat } from "@std/bytes";
import { type LoadPlan, TUTORIAL_MESSAGES } from "../../lib/load/mod.ts";
import { formatBytes, UsageError } from "../_cli/mod.ts";

/** The flags that say what is sent. */
interface MessageFlags {
  readonly message: readonly string[];
  readonly "message-file": readonly string[];
  readonly "message-hex": readonly string[];
  readonly size: number | undefined;
}

/** A file is read whole. */
const MAX_FILE_BYTES = 67_108_864;

/**
 * What a command line asks to be sent; the tutorial's messages if it says nothing.
 *
 * @throws {UsageError} if a text is no bytes, or a file is empty or too large.
 */
export async function messagesOf(
  flags: MessageFlags,
): Promise<Pick<LoadPlan, "messages" | "messageBytes">> {
  if (flags.size !== undefined) return { messageBytes: flags.size };
  const messages = [
    ...flags.message,
    ...await Promise.all(flags["message-file"].map(readMessage)),
    ...flags["message-hex"].map(parseHex),
  ];
  if (messages.some(({ length }) => length === 0)) {
    throw new UsageError("--message: a message has at least one byte");
  }
  return { messages: messages.length > 0 ? messages : TUTORIAL_MESSAGES };
}

async function readMessage(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const parts: Uint8Array[] = [];
  let bytes = 0;
  // It may be a pipe, which has no size before it is read.
  for await (const part of file.readable) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MAX_FILE_BYTES) {
      throw new UsageError(
        `--message-file: ${path} has more than ${formatBytes(MAX_FILE_BYTES)} (--size sends ` +
          "messages of any size)",
      );
    }
  }
  if (bytes === 0) throw new UsageError(`--message-file: ${path} is empty`);
  return concat(parts);
}

function parseHex(text: string): Uint8Array {
  const digits = text.replace(/0x|[\s:,]/g, "");
  if (!/^([0-9A-Fa-f]{2})+$/.test(digits)) {
    throw new UsageError(
      `--message-hex: cannot read ${JSON.stringify(text)}: write two digits for each byte, as in ` +
        "'0a ff 00'",
    );
  }
  return Uint8Array.from(digits.match(/../g)!, (pair) => parseInt(pair, 16));
}
