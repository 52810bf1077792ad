/** The page's own connection to the broker, made when it is first needed. */
import { currentLogin } from "../common/session.ts";

/** What the page uses of `/client.js`. */
export type Client = Awaited<ReturnType<typeof connect>>;

let client: Promise<Client> | undefined;

/** The client; connects again by itself once it was connected. @throws why it cannot connect. */
export function brokerClient(): Promise<Client> {
  client ??= connect();
  client.catch(() => client = undefined);
  return client;
}

async function connect() {
  // Loaded from the server, and only by who uses it: it is larger than this page.
  const library: typeof import("../client.ts") = await import("/client.js" as string);
  return await library.connectBroker("/ws", {
    name: "live page",
    credentials: () => currentLogin() ?? {},
    onError: () => {},
  });
}
