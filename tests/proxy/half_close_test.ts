/** Who has ended its half before it sent a byte: some programs only listen. */
import { assertEquals } from "@std/assert";
import { dial, listen } from "../../lib/net/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { deadline, pause, until } from "../support/deadline.ts";
import { Scratch } from "../support/scratch.ts";
import { CA, SERVER_TLS, TRUSTING } from "../support/tls.ts";
import { bytesOf, digestOf, readAll, writeAll } from "./ends.ts";

/** More than the buffers of all systems on the way hold. */
const SENT_BYTES = 12_000_000;

const ANY_PORT = "127.0.0.1:0";

Deno.test("a side that ends its half before it has sent a byte gets all that is sent to it", async () => {
  using folder = new Scratch();
  const sent = bytesOf(SENT_BYTES);
  const digest = await digestOf(sent);
  const places = [
    { name: "TCP", at: ANY_PORT, to: ANY_PORT },
    { name: "Unix", at: `unix:${folder.at("proxy")}`, to: `unix:${folder.at("server")}` },
    { name: "TLS", at: ANY_PORT, to: ANY_PORT, tls: SERVER_TLS },
  ];
  for (const { name, at, to, tls } of places) {
    for (const who of ["client", "upstream"] as const) {
      // Before what is sent waits for it, or while it does.
      for (const when of name === "TCP" ? ["before", "meanwhile"] : ["before"]) {
        const reasons: string[] = [];
        using listener = await listen(to, { tls });
        await using proxy = await serveProxy(at, listener.address, {
          observer: { closed: (_, reason) => reasons.push(reason) },
          ...tls ? { tls, upstreamTls: { caCerts: [CA] } } : {},
        });
        const [client, upstream] = await deadline(
          Promise.all([dial(proxy.address, tls ? TRUSTING : {}), listener.accept()]),
          name,
        );
        const [silent, other] = who === "client" ? [client, upstream] : [upstream, client];
        if (when === "before") {
          await silent.closeWrite();
          assertEquals(await deadline(other.read(new Uint8Array(1)), name), null);
        }
        const writing = writeAll(other, sent).then(() => other.closeWrite());
        const { value: connection } = proxy.connections.values().next();
        let last = -1;
        await until(async () => {
          const before = last;
          last = who === "client" ? connection!.downBytes : connection!.upBytes;
          await pause(20);
          return before === last && last > 0;
        }, name);
        if (when === "meanwhile") await silent.closeWrite();
        const received = await deadline(readAll(silent), `${name}, ${who}, ${when}`);
        assertEquals(await digestOf(received), digest, `${name}, ${who}, ${when}`);
        await deadline(writing);
        await until(() => reasons.length > 0, name);
        assertEquals(reasons, ["done"], `${name}, ${who}, ${when}`);
        client.close();
        upstream.close();
      }
    }
  }
});
