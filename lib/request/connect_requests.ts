import type { FrameInit } from "../frame/mod.ts";
import type { Address, DialOptions } from "../net/mod.ts";
import { toAddress } from "../net/address.ts";
import { dialFrames } from "../net/dial_frames.ts";
import { connectRequests as connectOver } from "./client/connect_requests.ts";
import {
  type RequestClient,
  type RequestClientOptions,
  resolveClientLimits,
} from "./client/request_client.ts";

/** How {@linkcode connectRequests} connects, and the limits of its client. */
export interface ConnectRequestsOptions extends DialOptions, Omit<RequestClientOptions, "remote"> {
  /** A request that each connection begins with, such as a login. */
  readonly greeting?: FrameInit | undefined;
}

/**
 * Connects to a request server, and sends the greeting, if there is one.
 *
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `connect` or `tls-handshake`; with `read` if the greeting
 * is not answered within `timeoutMs`.
 * @throws {RequestError} what the answer to the greeting tells.
 * @throws {TypeError | RangeError} if an option is not what it has to be, or the greeting nothing that
 * can be sent.
 */
export async function connectRequests(
  address: Address | string,
  options: ConnectRequestsOptions = {},
): Promise<RequestClient> {
  const remote = toAddress(address);
  resolveClientLimits(options);
  const conn = await dialFrames(remote, options);
  const { tls: _, ...clientOptions } = options;
  return await connectOver(conn, { ...clientOptions, remote });
}
