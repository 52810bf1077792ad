import { assertEquals } from "@std/assert";
import type { ByteOrder } from "../../lib/frame/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { openSearch, searchHandler } from "../../lib/search/mod.ts";
import { listenLocally } from "../support/peers.ts";

Deno.test("requests come in any encoding that is told, and the same bytes are not the same", async () => {
  await using engine = await openSearch({ workers: 1, writable: true });
  await using server = serveRequests(await listenLocally(), searchHandler(engine));
  await using client = await connectRequests(server.address);
  await engine.put({ key: "café", title: "", text: "au lait" });
  await engine.put({ key: "cafÃ©", title: "", text: "mojibake" });
  const text = JSON.stringify({ action: "search", value: "café" });
  const latin1 = Uint8Array.from(text, (char) => char.charCodeAt(0));
  const utf8 = new TextEncoder().encode(text);
  const utf16 = (little: boolean, mark: boolean) => {
    const view = new DataView(new ArrayBuffer(2 * (text.length + (mark ? 1 : 0))));
    [...(mark ? "\ufeff" : "") + text].forEach((char, i) =>
      view.setUint16(2 * i, char.charCodeAt(0), little)
    );
    return new Uint8Array(view.buffer);
  };
  const requests: [Uint8Array, string, ByteOrder, string][] = [
    [utf8, "utf-8", "little", "au lait"],
    [utf8, "latin-1", "little", "mojibake"],
    [utf8, "UTF-8", "little", "au lait"],
    [utf8, "utf_8", "big", "au lait"],
    [latin1, "latin-1", "little", "au lait"],
    [latin1, "iso-8859-1", "little", "au lait"],
    [latin1, "latin_1", "big", "au lait"],
    [utf16(true, false), "utf-16", "little", "au lait"],
    [utf16(false, false), "utf-16", "big", "au lait"],
    [utf16(false, true), "utf-16", "little", "au lait"],
    [utf16(true, true), "utf-16", "big", "au lait"],
    [utf16(true, false), "utf-16le", "big", "au lait"],
  ];
  for (let i = 0; i < 2; i++) {
    for (const [content, encoding, byteorder, due] of requests) {
      const header = { byteorder, "content-type": "text/json", "content-encoding": encoding };
      const { result } = (await client.request({ header, content })).json() as { result: string };
      assertEquals(result, due, `${encoding} ${byteorder}`);
    }
  }
});
