/** Servers that do not echo as they should, for clients to notice. */
import { type Connection, type Listener, serveConnections } from "../../lib/net/mod.ts";
import type { Server } from "../../lib/net/mod.ts";
import type { TcpAddress } from "../../lib/net/mod.ts";
import { listenLocally } from "./peers.ts";
import { ownAddress } from "./own_address.ts";
import { createServer } from "node:net";

/** Deals with a connection of which `input` holds what came first. */
type Fault = (connection: Connection) => Promise<void> | void;

/** Sends bytes as they are. */
async function say(connection: Connection, bytes: Uint8Array): Promise<void> {
  connection.output.buffer.append(bytes);
  await connection.output.flushed();
}

function inputOf({ input }: Connection): Uint8Array {
  return input.bytes.slice(input.start, input.end);
}

/** What can be wrong, once the first bytes came. */
export const FAULTS = {
  /** Changes the byte at offset 3. */
  async wrong(connection) {
    const bytes = inputOf(connection);
    bytes[3]! ^= 0xff;
    await say(connection, bytes);
    await connection.finish("done", false);
  },
  /** Sends the first 3 bytes and closes. */
  async short(connection) {
    await say(connection, inputOf(connection).subarray(0, 3));
    await connection.finish("done", false);
  },
  /** Sends one byte too many. */
  async surplus(connection) {
    await say(connection, Uint8Array.of(...inputOf(connection), 33));
    await connection.finish("done", false);
  },
  /** Reads on and never answers. */
  async silent(connection) {
    do connection.input.consume(connection.input.end - connection.input.start); while (
      await connection.read()
    );
  },
  /** Closes in order without an answer. */
  async closing(connection) {
    await connection.finish("done", false);
  },
} satisfies Record<string, Fault>;

/** The names of {@linkcode FAULTS}. */
export type FaultName = keyof typeof FAULTS;

/** Serves every connection with the fault, at its first bytes. */
export async function serveFault(
  name: FaultName,
  listener?: Listener,
): Promise<Server> {
  const fault: Fault = FAULTS[name];
  return serveConnections(listener ?? await listenLocally(), {
    async serve(connection) {
      if (await connection.read()) await fault(connection);
    },
  });
}

/** Resets every connection at its first bytes, which `Deno.Conn` cannot do. */
export async function serveReset(): Promise<AsyncDisposable & { readonly address: TcpAddress }> {
  const server = createServer((socket) => {
    socket.once("data", () => socket.resetAndDestroy());
    socket.on("error", () => {});
  });
  const listening = Promise.withResolvers<void>();
  const address = ownAddress();
  server.listen(address.port, address.hostname, () => listening.resolve());
  await listening.promise;
  return {
    address,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
