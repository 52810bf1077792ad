/** The tutorial's first client: `socktool echo-client`. */
import type { EchoExchangeOptions } from "../lib/echo/mod.ts";
import { exchangeEcho } from "../lib/echo/exchange_echo.ts";
import { formatAddress } from "../lib/net/address.ts";
import {
  clientTlsFlags,
  clientTlsOf,
  connectTimeoutFlag,
  type Context,
  defineCommand,
  END_OF_INPUT,
  formatBytes,
  formatDuration,
  jsonSeconds,
  outputFlags,
  runMain,
} from "./_cli/mod.ts";
import { type DumpedSide, HexDump } from "./_echo/hex_dump.ts";
import { jsonBytes } from "./_echo/shown_bytes.ts";

export const command = defineCommand({
  name: "echo-client",
  summary: "send text or stdin to an echo server, print and check what comes back",
  arguments: {
    address: { type: "address", default: "127.0.0.1:5634", help: "the server" },
    text: {
      type: "string",
      optional: true,
      help: "the text to send; without it or with -, stdin; on a terminal, a conversation",
    },
  },
  flags: {
    hex: {
      type: "boolean",
      group: "Output",
      conflicts: ["json"],
      help: "show both directions as a hex dump with times",
    },
    ...connectTimeoutFlag,
    "idle-timeout": {
      type: "duration",
      default: "30s",
      help: "give up when bytes are due and none moves for this long; 0 for never",
    },
    ...clientTlsFlags,
    ...outputFlags,
  },
  examples: [
    ["socktool echo-client 127.0.0.1 5634 'hello, universe'", "send a text"],
    ["socktool echo-client :5634", `a conversation, line by line; ${END_OF_INPUT} ends it`],
    ["socktool echo-client :5634 - < photo.jpg | cmp - photo.jpg", "send a file"],
    ["socktool echo-client :5634 hello --hex", "see the bytes"],
  ],
  exitCodes: { 1: "failed, or what came back is not what was sent" },
  async run({ flags, args }, context) {
    const { log, signal } = context;
    const { address, text } = args;
    const fromStdin = text === undefined || text === "-";
    const source: ReadableStream<Uint8Array> = fromStdin
      ? context.stdin()
      : new Blob([text]).stream();
    const where = formatAddress(address);
    const print = printer(context, flags);
    const { bytes, durationMs } = await exchangeEcho(address, source, {
      tls: await clientTlsOf(flags, context),
      timeoutMs: flags["connect-timeout"],
      idleTimeoutMs: flags["idle-timeout"],
      signal,
      connected() {
        if (fromStdin && context.stdinIsTerminal) {
          log.info(`connected to ${where}; what you type comes back, ${END_OF_INPUT} ends`);
        } else log.detail(`connected to ${where}`);
      },
      ...print,
    }).finally(() => print.end());
    if (flags.json) {
      context.out.json({ type: "summary", bytes, duration_s: jsonSeconds(durationMs) });
    } else log.detail(`${formatBytes(bytes)} came back right in ${formatDuration(durationMs)}`);
  },
});

/** Prints the traffic in the form that the flags ask for. */
interface Printer extends Pick<EchoExchangeOptions, "sent" | "received"> {
  end(): void;
}

function printer(
  { out }: Context,
  flags: { readonly hex: boolean; readonly json: boolean },
): Printer {
  if (flags.hex) {
    const dump = new HexDump();
    const show = (direction: DumpedSide) => (bytes: Uint8Array) =>
      out.line(dump.lines(direction, bytes).join("\n"));
    return { sent: (bytes) => void show("sent")(bytes), received: show("received"), end() {} };
  }
  if (flags.json) {
    const startedAt = performance.now();
    const show = (type: DumpedSide) => (bytes: Uint8Array) =>
      out.json({ type, at_s: jsonSeconds(performance.now() - startedAt), ...jsonBytes(bytes) });
    return { sent: (bytes) => void show("sent")(bytes), received: show("received"), end() {} };
  }
  if (!out.isTerminal) return { received: (bytes) => out.bytes(bytes), end() {} };
  return terminalPrinter(out);
}

/** For a terminal: escapes the peer's control characters, and ends with the end of a line. */
function terminalPrinter(out: Context["out"]): Printer {
  const decoder = new TextDecoder();
  let last = "\n";
  return {
    received(bytes) {
      const text = decoder.decode(bytes, { stream: true });
      last = text.at(-1) ?? last;
      return out.text(out.safe(text));
    },
    end() {
      if (last !== "\n") out.text("\n");
    },
  };
}

if (import.meta.main) await runMain(command);
