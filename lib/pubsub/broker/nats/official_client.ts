import {
  type ConnectionOptions,
  getResolveFn,
  type NatsConnection,
  NatsConnectionImpl,
  ProtocolHandler,
  setTransportFactory,
} from "@nats-io/transport-node";
import { ClientTransport, type HowToConnect } from "./wire/client_transport.ts";

/** The client's constructor, which it calls by itself only with transports of its own. */
const Client = NatsConnectionImpl as unknown as {
  new (options: ConnectionOptions): NatsConnection & {
    readonly options: ConnectionOptions;
    protocol: ProtocolHandler;
  };
};

/** A connection of the official client to a cluster. */
export interface OfficialClient {
  readonly connection: NatsConnection;
  /** Closes it. */
  close(): Promise<void>;
}

/**
 * Connects the official client, which makes its connection again by itself, over connections of ours.
 *
 * @param how Opens each connection, to whatever server.
 * @throws what opening a connection does.
 */
export async function connectOfficialClient(
  options: ConnectionOptions,
  how: HowToConnect,
): Promise<OfficialClient> {
  // It asks a factory for its transports that is one for the whole program, and perhaps that of others.
  if (getResolveFn() === undefined) {
    setTransportFactory({ factory: () => new ClientTransport(how) });
  }
  const connection = new Client({ ...options, servers: [NO_SERVER], resolve: false });
  const protocol = new ProtocolHandler(connection.options, connection);
  let transport: ClientTransport | undefined;
  Object.defineProperty(protocol, "transport", {
    get: () => transport,
    set: () => transport = new ClientTransport(how),
  });
  await protocol.dialLoop();
  connection.protocol = protocol;
  const close = async () => {
    await connection.close();
    // One that is being opened.
    transport?.discard();
  };
  return { connection, close };
}

/** The client has to be given an address. */
const NO_SERVER = "127.0.0.1:1";
