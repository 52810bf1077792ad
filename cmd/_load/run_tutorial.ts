import { runTutorialExchange } from "../../lib/load/mod.ts";
import { type Address, type ClientTls, formatAddress } from "../../lib/net/mod.ts";
import { type Context, EXIT, jsonSeconds } from "../_cli/mod.ts";
import { jsonBytes, quotedBytes } from "../_echo/shown_bytes.ts";

/** The flags that have an effect without a load. */
interface TutorialFlags {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly "connect-timeout": number;
  readonly timeout: number;
}

/** Acts as the tutorial's client, and prints its lines or JSON. Resolves to the exit code. */
export async function runTutorial(
  address: Address,
  connections: number,
  tls: ClientTls | undefined,
  flags: TutorialFlags,
  { out, log, signal }: Context,
): Promise<number> {
  const where = formatAddress(address);
  const tell = (type: string, connection: number, bytes: Uint8Array | undefined, line: string) => {
    if (flags.json) out.json({ type, connection, ...(bytes ? jsonBytes(bytes) : {}) });
    else if (!flags.quiet) out.line(line);
  };
  const startedAt = performance.now();
  let failures = 0;
  const done = await runTutorialExchange({
    address,
    connections,
    tls,
    connectTimeoutMs: flags["connect-timeout"],
    answerTimeoutMs: flags.timeout,
    signal,
    observer: {
      starting: (id) => tell("starting", id, undefined, `starting connection ${id} to ${where}`),
      sending: (id, bytes) =>
        tell("sending", id, bytes, `sending ${quotedBytes(bytes)} to connection ${id}`),
      received: (id, bytes) =>
        tell("received", id, bytes, `received ${quotedBytes(bytes)} from connection ${id}`),
      closing: (id) => tell("closing", id, undefined, `closing connection ${id}`),
      failed({ code, message }) {
        failures++;
        if (flags.json) out.json({ type: "error", kind: code, message });
        log.error(message, { code });
      },
    },
  });
  if (flags.json) {
    const duration_s = jsonSeconds(performance.now() - startedAt);
    out.json({ type: "summary", connections: done, errors: failures, duration_s });
  } else if (failures > 0) {
    log.info(`${done} of ${connections} connections got their messages back`);
  }
  return failures > 0 ? EXIT.failed : EXIT.ok;
}
