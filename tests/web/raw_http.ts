import { formatAddress, type Server } from "../../lib/net/mod.ts";
import type { WebServer } from "../../lib/web/mod.ts";
import { deadline } from "../support/deadline.ts";

/** A reply as it came. */
export interface RawReply {
  /** `0` if the connection ended without one. */
  readonly status: number;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Sends bytes as they are, and reads until the server closes. */
export async function sendRaw(
  { address }: Pick<WebServer | Server, "address">,
  text: string | Uint8Array,
): Promise<RawReply> {
  if (address.transport !== "tcp") throw new TypeError(`not TCP: ${formatAddress(address)}`);
  using conn = await Deno.connect(address);
  const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
  return await deadline(writeAndRead(conn, bytes), `a reply to ${String(text).slice(0, 100)}`);
}

async function writeAndRead(conn: Deno.Conn, bytes: Uint8Array): Promise<RawReply> {
  const writing = (async () => {
    for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
  })().catch(() => {});
  const reply = readRaw(await readToEnd(conn));
  await writing;
  return reply;
}

/** Reads until the peer closes or breaks off. */
export async function readToEnd(conn: Deno.Conn): Promise<string> {
  const chunk = new Uint8Array(65_536);
  const decoder = new TextDecoder();
  let text = "";
  try {
    for (let count; (count = await conn.read(chunk)) !== null;) {
      text += decoder.decode(chunk.subarray(0, count), { stream: true });
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.ConnectionReset)) throw error;
  }
  return text;
}

/** Reads the first reply in a text. */
export function readRaw(text: string): RawReply {
  const [top = "", ...rest] = text.replace("HTTP/1.1 100 Continue\r\n\r\n", "").split("\r\n\r\n");
  const [line, ...lines] = top.split("\r\n");
  const headers = lines.map((each): [string, string] => {
    const colon = each.indexOf(":");
    return [each.slice(0, colon).toLowerCase(), each.slice(colon + 1).trim()];
  });
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line!)?.[1] ?? 0);
  return { status, headers: Object.fromEntries(headers), body: rest.join("\r\n\r\n") };
}
