/** What `docs/protocol.md` shows byte by byte is what clients send and servers answer. */
import { assert, assertEquals } from "@std/assert";
import { serveBroker } from "../../lib/pubsub/mod.ts";
import { RawClient } from "../support/peers.ts";
import { innerAppServer, ROOT } from "../support/programs.ts";

/** Bytes of one side. */
interface Turn {
  readonly from: "client" | "server";
  readonly bytes: Uint8Array;
}

const PAGE = Deno.readTextFileSync(`${ROOT}docs/protocol.md`);

/** Reads the block of bytes below a heading, and checks the characters beside the bytes. */
function turnsBelow(heading: string): Turn[] {
  const [, block] = /```text\n([\s\S]*?)```/.exec(PAGE.split(`### ${heading}\n`)[1]!)!;
  const turns: { from: Turn["from"]; hex: string }[] = [];
  for (const line of block!.trimEnd().split("\n")) {
    const [, sign, hex, characters] = /^([<> ]) ((?:[0-9a-f]{2} ?)+?) {2,}(.+)$/.exec(line)!;
    if (sign !== " ") turns.push({ from: sign === ">" ? "client" : "server", hex: "" });
    turns.at(-1)!.hex += hex!.replaceAll(" ", "");
    const shown = [...Uint8Array.fromHex(hex!.replaceAll(" ", ""))]
      .map((byte) => byte >= 32 && byte < 127 ? String.fromCharCode(byte) : ".");
    assertEquals(characters, shown.join(""), "the characters beside the bytes");
  }
  return turns.map(({ from, hex }) => ({ from, bytes: Uint8Array.fromHex(hex) }));
}

/** Reads as many bytes as are expected. */
async function read(client: RawClient, count: number): Promise<Uint8Array> {
  const bytes: number[] = [];
  while (bytes.length < count) {
    const chunk = await client.chunk();
    assert(chunk !== undefined, "the server closed");
    bytes.push(...chunk);
  }
  return Uint8Array.from(bytes);
}

Deno.test("the frame that the protocol page shows is answered", async () => {
  const [{ bytes }] = turnsBelow("One frame, byte by byte") as [Turn];
  const [, header, content] = /of the\s+header, (\d+); the header follows, then (\d+) bytes/.exec(
    PAGE,
  )!;
  assertEquals([(bytes[0]! << 8) + bytes[1]!, bytes.length - 2], [
    Number(header),
    Number(header) + Number(content),
  ]);
  await using server = await innerAppServer();
  using client = await RawClient.connect(server.address);
  await client.send(bytes);
  assertEquals((await client.json())["result"], "Follow the white rabbit. 🐰");
});

Deno.test("the conversation that the protocol page shows is what a broker says", async () => {
  const turns = turnsBelow("A conversation, byte by byte");
  assertEquals(turns.map(({ from }) => from), ["client", "server", "server", "client", "server"]);
  await using broker = await serveBroker("127.0.0.1:0");
  using client = await RawClient.connect(broker.address);
  using publisher = await RawClient.connect(broker.address);
  for (const [i, { from, bytes }] of turns.entries()) {
    if (from === "client") await client.send(bytes);
    else {
      // What is delivered is what another client publishes.
      if (turns[i - 1]!.from === "server") await publisher.send(bytes);
      assertEquals(await read(client, bytes.length), bytes);
    }
  }
  assertEquals(await client.chunk(), undefined);
});
