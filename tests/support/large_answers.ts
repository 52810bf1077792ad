/** A server whose answers have the size that the request says. */
import { serveMessages } from "../../lib/message/mod.ts";
import { formatAddress, listen } from "../../lib/net/mod.ts";

const listener = await listen({ transport: "tcp", hostname: "127.0.0.1", port: 0 });
const server = serveMessages(listener, (request) => ({
  content: new Uint8Array(Number(new TextDecoder().decode(request.content))),
}), { maxConnections: 0 });
await Deno.stderr.write(
  new TextEncoder().encode(`listening on ${formatAddress(server.address)}\n`),
);
await server.finished;
