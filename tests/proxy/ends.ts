/** What the ends of a connection through a proxy do. */
import { assertEquals, assertRejects } from "@std/assert";
import { connect, type Socket } from "node:net";
import { type Address, ConnectionError, dial } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";

/** A client that can reset its connection, which no `Deno.Conn` can. */
export async function dialResettable(address: Address): Promise<Socket> {
  if (address.transport === "unix") throw new TypeError("a Unix socket has no reset");
  const socket = connect({ host: address.hostname, port: address.port });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once("connect", resolve).once("error", reject);
  await deadline(promise, "a connection");
  return socket;
}

/** Checks that a connection is reset before, or while, everything is read from it. */
export async function assertReset(conn: Deno.Conn | Address): Promise<void> {
  const error = await assertRejects(async () => {
    if ("transport" in conn) {
      using dialled = await dial(conn);
      await deadline(readAll(dialled));
    } else await deadline(readAll(conn));
  }, Error);
  assertEquals(new ConnectionError("read", undefined, error.cause ?? error).code, "reset");
}

/** Bytes that differ from their neighbours: the same for the same arguments. */
export function bytesOf(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

/** Writes all of it. */
export async function writeAll(
  conn: Deno.Conn,
  bytes: Uint8Array,
  onWritten: (count: number) => void = () => {},
): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    at += await conn.write(bytes.subarray(at, at + 65_536));
    onWritten(at);
  }
}

/** Reads to the end of the stream. */
export async function readAll(conn: Deno.Conn): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const part = new Uint8Array(65_536);
    const count = await conn.read(part);
    if (count === null) break;
    parts.push(part.subarray(0, count));
    length += count;
  }
  const all = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** By what large amounts of bytes are compared. */
export async function digestOf(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
