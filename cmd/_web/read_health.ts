import { type Address, dial, type DialOptions, formatAddress } from "../../lib/net/mod.ts";

/** What a server says of itself. */
export interface ServerHealth {
  readonly status: string;
  readonly detail?: string | undefined;
  readonly progress?: number | undefined;
}

/** A reply of a few lines is expected. */
const MAX_REPLY_BYTES = 65_536;

/**
 * Asks a server for its health over HTTP.
 *
 * @throws {ConnectionError} if it cannot be reached.
 * @throws {Error} if what answers is no server of ours, or does not answer in time.
 */
export async function readHealth(
  address: Address,
  path: "/healthz" | "/readyz",
  options: DialOptions,
): Promise<{ readonly isWell: boolean; readonly health: ServerHealth }> {
  using conn = await dial(address, options);
  const { timeoutMs, signal } = options;
  const limit = AbortSignal.any([
    ...(signal ? [signal] : []),
    ...(timeoutMs === undefined ? [] : [AbortSignal.timeout(timeoutMs)]),
  ]);
  const stop = () => conn[Symbol.dispose]();
  limit.addEventListener("abort", stop, { once: true });
  let reply: string;
  try {
    // Every server of ours answers to that name.
    const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    await conn.write(new TextEncoder().encode(request));
    reply = await readReply(conn);
  } catch (cause) {
    if (signal?.aborted) throw signal.reason;
    const reason = limit.aborted ? "it took too long" : "the connection broke";
    throw new Error(`${formatAddress(address)} did not answer: ${reason}`, { cause });
  } finally {
    limit.removeEventListener("abort", stop);
  }
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(reply)?.[1]);
  const health = healthOf(reply.slice(reply.indexOf("\r\n\r\n") + 4));
  if ((status === 200 || status === 503) && health) return { isWell: status === 200, health };
  const what = Number.isNaN(status) ? "no HTTP" : `${status} without a health`;
  throw new Error(`${formatAddress(address)} answered ${what}: is it the address of --http?`);
}

async function readReply(conn: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(MAX_REPLY_BYTES);
  let size = 0;
  while (size < bytes.length) {
    const count = await conn.read(bytes.subarray(size));
    if (count === null) break;
    size += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, size));
}

function healthOf(body: string): ServerHealth | undefined {
  try {
    const health = JSON.parse(body);
    return typeof health?.status === "string" ? health : undefined;
  } catch {
    return undefined;
  }
}
