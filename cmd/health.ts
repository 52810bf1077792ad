/** Whether a server is well, for scripts: `socktool health`. */
import { readHealth } from "./_web/read_health.ts";
import { formatAddress } from "../lib/net/mod.ts";
import {
  clientTlsFlags,
  clientTlsOf,
  connectTimeoutFlag,
  defineCommand,
  EXIT,
  outputFlags,
  runMain,
} from "./_cli/mod.ts";

export const command = defineCommand({
  name: "health",
  summary: "ask a server's HTTP side whether it is well; the exit code says so",
  arguments: {
    address: { type: "address", help: "the address of its --http" },
  },
  flags: {
    ready: {
      type: "boolean",
      help: "ask whether it serves clients (/readyz): a server that still indexes does not",
    },
    ...connectTimeoutFlag,
    ...clientTlsFlags,
    ...outputFlags,
  },
  examples: [
    ["socktool health :9090", "exit with 0 if the server is well, else with 1"],
    ["until socktool health :9090 --ready; do sleep 1; done", "wait until it serves"],
  ],
  exitCodes: { 1: "it is not well, or does not answer" },
  async run({ flags, args }, context) {
    const { signal } = context;
    const tls = await clientTlsOf(flags, context);
    const timeoutMs = flags["connect-timeout"];
    const path = flags.ready ? "/readyz" : "/healthz";
    const { isWell, health } = await readHealth(args.address, path, { tls, timeoutMs, signal });
    const { status, detail, progress } = health;
    if (flags.json) context.out.json({ type: "health", well: isWell, status, detail, progress });
    const done = progress === undefined ? "" : `, ${Math.floor(progress * 100)} %`;
    const more = detail === undefined ? "" : `: ${detail}${done}`;
    const line = `${formatAddress(args.address)} is ${status}${more}`;
    if (!isWell) context.log.error(line);
    else if (!flags.json && !flags.quiet) context.out.line(line);
    return isWell ? EXIT.ok : EXIT.failed;
  },
});

if (import.meta.main) await runMain(command);
