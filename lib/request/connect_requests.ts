import { type Address, dial, type DialOptions, toAddress } from "../net/mod.ts";

import { RequestClient, type RequestClientOptions } from "./client/request_client.ts";

/** How {@linkcode connectRequests} connects, and the limits of its client. */
export interface ConnectRequestsOptions extends DialOptions, Omit<RequestClientOptions, "remote"> {}

/**
 * Connects to a request server.
 *
 * @throws {AddressError} if a text is no address.
 * @throws {ConnectionError} with operation `connect` or `tls-handshake`
 * @throws {TypeError | RangeError} if a limit is no number of what it counts.
 */
export async function connectRequests(
  address: Address | string,
  options: ConnectRequestsOptions = {},
): Promise<RequestClient> {
  const remote = toAddress(address);
  const conn = await dial(remote, options);
  try {
    return new RequestClient(conn, { ...options, remote });
  } catch (error) {
    conn.close();
    throw error;
  }
}
