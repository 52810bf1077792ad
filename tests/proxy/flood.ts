/** Many bytes through a proxy that runs as a program, and the memory that it takes for them. */
import { dial, listen } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { residentBytes, script, ServerProgram } from "../support/programs.ts";
import { SERVER_TLS, TLS_FILES, TRUSTING } from "../support/tls.ts";
import { writeAll } from "./ends.ts";

const PART_BYTES = 1_048_576;
const WARM_UP_BYTES = 16 * PART_BYTES;
/** How often memory is looked at. */
const LOOK_BYTES = 16 * PART_BYTES;

/** How memory of the proxy grew, and how many bytes came. */
export interface Flooded {
  readonly moreBytes: number;
  readonly receivedBytes: number;
}

/** On which sides of the proxy there is TLS. */
export type TlsPlace = "client" | "upstream" | undefined;

/**
 * Sends bytes through `socktool proxy`, both ways one after the other, on one connection.
 *
 * @param bytes How many, a multiple of 32 MiB.
 */
export async function flood(bytes: number, place?: TlsPlace): Promise<Flooded> {
  using listener = await listen("127.0.0.1:0", place === "upstream" ? { tls: SERVER_TLS } : {});
  const upstream = `127.0.0.1:${(listener.address as { port: number }).port}`;
  const flags = place === "client"
    ? ["--tls-cert", TLS_FILES.cert, "--tls-key", TLS_FILES.key]
    : place === "upstream"
    ? ["--tls", "--tls-ca", TLS_FILES.ca]
    : [];
  await using proxy = await ServerProgram.start(
    script("cmd/proxy.ts", "127.0.0.1:0", upstream, ...flags),
  );
  const [client, server] = await deadline(
    Promise.all([dial(proxy.address, place === "client" ? TRUSTING : {}), listener.accept()]),
    "a connection through the proxy",
  );
  const part = new Uint8Array(PART_BYTES).fill(7);
  let receivedBytes = 0;
  let peakBytes = 0;
  const pass = async (from: Deno.Conn, to: Deno.Conn, count: number) => {
    const into = new Uint8Array(PART_BYTES);
    let left = count;
    const reading = (async () => {
      for (let looked = 0; left > 0;) {
        const got = await to.read(into);
        if (got === null) return;
        left -= got;
        looked += got;
        if (looked < LOOK_BYTES) continue;
        looked = 0;
        peakBytes = Math.max(peakBytes, residentBytes(proxy.pid));
      }
    })();
    for (let at = 0; at < count; at += PART_BYTES) await writeAll(from, part);
    await reading;
    receivedBytes += count - left;
  };
  try {
    await pass(client, server, WARM_UP_BYTES);
    await pass(server, client, WARM_UP_BYTES);
    receivedBytes = 0;
    const idleBytes = peakBytes = residentBytes(proxy.pid);
    await pass(client, server, bytes / 2);
    await pass(server, client, bytes / 2);
    return { moreBytes: peakBytes - idleBytes, receivedBytes };
  } finally {
    client.close();
    server.close();
  }
}
