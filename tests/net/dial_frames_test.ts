import { assert, assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { encodeFrame } from "../../lib/frame/mod.ts";
import { otherProtocol } from "../../lib/net/dial_frames.ts";
import { ConnectionError, formatAddress } from "../../lib/net/mod.ts";
import { connectBroker } from "../../lib/pubsub/mod.ts";
import { connectRequests } from "../../lib/request/mod.ts";
import { listenLocally } from "../support/peers.ts";
import { deadline } from "../support/deadline.ts";

/** What servers of other protocols say first, or answer to what they cannot read; and what is shown. */
const OTHERS: readonly (readonly [said: string, shown: string])[] = [
  ["HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 Bad Request"],
  ["SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n", "SSH-2.0-OpenSSH_9.2p1 Debian-2"],
  ["220 mail.example ESMTP\r\n", "220 mail.example ESMTP"],
  ["-ERR unknown command\r\n", "-ERR unknown command"],
  [`INFO {"server_id":"${"N".repeat(56)}"}\r\n`, `INFO {"server_id":"${"N".repeat(21)}`],
  ["login: ", "login: "],
];

Deno.test("a client of frames says what answers instead, and where frames are found at an HTTP side", async () => {
  for (const [said, shown] of OTHERS) {
    using listener = await listenLocally();
    const { address } = listener;
    const answering = (async () => {
      for (let i = 0; i < 2; i++) {
        using conn = await listener.accept();
        await conn.read(new Uint8Array(1_000));
        await conn.write(new TextEncoder().encode(said));
        await conn.read(new Uint8Array(1_000));
      }
    })();
    const where = said.startsWith("HTTP")
      ? `; a server's --http is ws://${formatAddress(address)}/ws`
      : "";
    const message =
      `Cannot read from ${formatAddress(address)}: it does not speak frames, but says ` +
      JSON.stringify(shown) + where;
    const asking = async () => {
      await using client = await connectRequests(address);
      await client.request({ header: { "content-type": "text/plain" } });
    };
    for (const ask of [asking, () => connectBroker(address)]) {
      const error = await deadline(assertRejects(ask, ConnectionError));
      assertEquals(error.message, message);
    }
    await deadline(answering, "both connections are closed");
  }
});

Deno.test("no frame is taken for another protocol, nor bytes that are no text", () => {
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(64), (fields, count) => {
    const bytes = encodeFrame({ header: { ...fields, "content-length": undefined } });
    assertEquals(otherProtocol(bytes.subarray(0, count)), undefined);
  }));
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    const line = otherProtocol(bytes);
    assert(line === undefined || /^[\x20-\x7e]{3,40}$/.test(line), line);
  }));
  for (const bytes of [[0x15, 3, 1, 0, 2], [0x48, 0x54], [0, 20, 123, 125], [82, 0, 0, 0, 8]]) {
    assertEquals(otherProtocol(Uint8Array.from(bytes)), undefined);
  }
});
