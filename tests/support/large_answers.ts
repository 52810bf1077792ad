/**
 * A server whose answers have the size that the request asks for. It says so when it cannot accept
 * a connection.
 */
import { serveRequests } from "../../lib/request/mod.ts";
import { formatAddress, listen } from "../../lib/net/mod.ts";

// As the commands do before they serve: Deno 2.9 panics if it has no descriptor left when it first
// listens for a signal, which it does by itself a little after the start.
Deno.addSignalListener("SIGTERM", () => Deno.exit());
const say = (text: string) => Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
const listener = await listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
const server = serveRequests(listener, (request) => ({
  content: new Uint8Array(Number(new TextDecoder().decode(request.content))),
}), { maxConnections: 0, observer: { acceptFailed: ({ code }) => say(code) } });
say(`listening on ${formatAddress(server.address)}`);
await server.finished;
