import { startsTlsRecord } from "../base/tls_record.ts";
import { type Address, formatAddress, isWebSocket } from "./address.ts";
import type { ByteDuplex } from "./bytes/byte_duplex.ts";
import { ConnectionError } from "./connection_error.ts";
import { dial, type DialOptions } from "./dial.ts";

/** Dials a server of frames, as {@linkcode dial} does. Where something else answers, reading says so. */
export async function dialFrames(address: Address, options: DialOptions): Promise<ByteDuplex> {
  const conn = await dial(address, options);
  return isWebSocket(address) ? conn : new FramesConn(conn, address);
}

/** A connection to a server of frames, whose first bytes are looked at: see {@linkcode dialFrames}. */
export class FramesConn implements ByteDuplex {
  readonly #conn: Deno.Conn;
  readonly #address: Address;
  #isFirst = true;

  /** Takes the connection over. @param address Where it leads, for the message. */
  constructor(conn: Deno.Conn, address: Address) {
    this.#conn = conn;
    this.#address = address;
  }

  /** As that of a {@linkcode ByteDuplex}. @throws {ConnectionError} if what comes first is no frame. */
  read(into: Uint8Array): Promise<number | null> {
    return this.#isFirst ? this.#readFirst(into) : this.#conn.read(into);
  }

  /** As that of a {@linkcode ByteDuplex}. */
  write(bytes: Uint8Array): Promise<number> {
    return this.#conn.write(bytes);
  }

  /** As that of a {@linkcode ByteDuplex}. */
  close(): void {
    this.#conn.close();
  }

  async #readFirst(into: Uint8Array): Promise<number | null> {
    const count = await this.#conn.read(into);
    this.#isFirst = false;
    const said = otherProtocol(into.subarray(0, count ?? 0));
    if (said === undefined) return count;
    const place = said.startsWith("HTTP/") ? webSocketOf(this.#address) : "";
    const cause = new Error(`it does not speak frames, but says ${JSON.stringify(said)}${place}`);
    throw new ConnectionError("read", this.#address, cause, "failed");
  }
}

/** Where frames are found at the HTTP side of a server of ours. */
function webSocketOf(address: Address): string {
  if (address.transport !== "tcp") return "";
  return `; a server's --http is ws://${formatAddress(address)}/ws`;
}

/** The longest text that is shown of another protocol. */
const MAX_SHOWN = 40;

/**
 * The first line that a peer has sent, if it is a text and no frame: as a server of HTTP or mail sends, or
 * one that asks for a login.
 *
 * @param bytes The first that came. A frame has the size of its header in two bytes, and then JSON.
 */
export function otherProtocol(bytes: Uint8Array): string | undefined {
  if (bytes.length < 3 || startsTlsRecord(bytes) || /[{\s]/.test(String.fromCharCode(bytes[2]!))) {
    return undefined;
  }
  const text = String.fromCharCode(...bytes.subarray(0, MAX_SHOWN));
  const [line] = /^[\x20-\x7e]*/.exec(text)!;
  const isWhole = line.length === text.length || /[\r\n]/.test(text[line.length]!);
  return isWhole && line.length >= 3 ? line : undefined;
}
