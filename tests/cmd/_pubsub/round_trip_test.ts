/** What `sub --json` prints, `pub --ndjson` publishes again: the same header and the same bytes. */
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Output } from "../../../cmd/_cli/output.ts";
import { printMessage } from "../../../cmd/_pubsub/incoming.ts";
import { parseNdjsonLine } from "../../../cmd/_pubsub/ndjson.ts";
import { encodeFrame, type FrameHeader } from "../../../lib/frame/mod.ts";
import { connectBroker, type PubSubMessage } from "../../../lib/pubsub/mod.ts";
import { op, RawPeer, startBroker } from "../../pubsub/support.ts";
import { anyCharacter } from "../../support/any_character.ts";

/** What a message is printed as. */
async function printed(message: PubSubMessage): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const out = new Output({
    isTerminal: () => false,
    write: (bytes) => {
      text += decoder.decode(bytes, { stream: true });
      return Promise.resolve(bytes.length);
    },
  });
  void printMessage(message, { json: true }, out);
  await out.flush();
  return text;
}

/** A header without what belongs to one delivery of it. */
function lasting({ id: _id, group: _group, filter, ...rest }: FrameHeader, grouped: boolean) {
  return grouped ? rest : { ...rest, filter };
}

const TAKEN = ["op", "topic", "id", "content-length", "group", "retain", "reply-to", "filter"];

const fields = fc.dictionary(
  fc.string({ maxLength: 8 }).filter((name) => !TAKEN.includes(name)),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 5 },
).map((all) => JSON.parse(JSON.stringify(all)) as Record<string, unknown>);

const content = fc.oneof(
  fc.uint8Array({ maxLength: 60 }),
  fc.string({ unit: anyCharacter, maxLength: 30 }).map((text) => new TextEncoder().encode(text)),
  fc.constantFrom(
    Uint8Array.of(0xef, 0xbb, 0xbf, 0x61),
    Uint8Array.of(0xff, 0xfe, 0x61, 0),
    Uint8Array.of(0xff),
  ),
);

const publication = fc.record({
  fields,
  content,
  encoding: fc.constantFrom(
    "utf-8",
    "UTF8",
    "utf_8",
    "latin1",
    "utf-16",
    "utf-8-sig",
    "binary",
    "no",
  ),
  type: fc.constantFrom("text/plain", "text/json", "x/y", ""),
  byteorder: fc.constantFrom("little", "big"),
  retain: fc.constantFrom(undefined, true, false),
  replyTo: fc.constantFrom(undefined, "a.reply", "_inbox.x.1"),
  id: fc.constantFrom(undefined, 7),
  group: fc.boolean(),
});

Deno.test("what sub --json prints is published again by pub --ndjson, header and bytes", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  using publisher = await RawPeer.to(broker);
  const plain = await client.subscribe("t.plain");
  const grouped = await client.subscribe("t.group", { group: "g" });
  await fc.assert(
    fc.asyncProperty(publication, async (given) => {
      const topic = given.group ? "t.group" : "t.plain";
      const subscription = given.group ? grouped : plain;
      const frame = encodeFrame(op("pub", {
        ...given.fields,
        topic,
        byteorder: given.byteorder,
        "content-type": given.type,
        "content-encoding": given.encoding,
        retain: given.retain,
        "reply-to": given.replyTo,
        id: given.id,
      }, given.content));
      await publisher.send(frame);
      if (given.id !== undefined) assertEquals((await publisher.header())["op"], "ok");
      const message: PubSubMessage = (await subscription.next()).value!;
      const outgoing = parseNdjsonLine((await printed(message)).trimEnd(), 1, undefined);
      assert("content" in outgoing);
      await client.publish(outgoing.topic, outgoing.content, outgoing.options);
      const again: PubSubMessage = (await subscription.next()).value!;
      assertEquals(again.content, message.content);
      // `retain: false` says the same as none.
      const header = lasting(message.header, given.group);
      assertEquals(
        { ...lasting(again.header, given.group), retain: again.header["retain"] ?? false },
        { ...header, retain: header["retain"] ?? false },
      );
    }),
    { numRuns: 120 },
  );
});

Deno.test("lines of sub --json that are no message are told as what they are", () => {
  for (
    const line of [
      { type: "missed", filter: "a.*", count: 3, bytes: 90 },
      { type: "missed", filter: "a.*", count: null, bytes: null, reason: "disconnected" },
      { type: "disconnected", reason: "x" },
      { type: "connected" },
      { type: "error", error: { message: "x" } },
    ]
  ) {
    const parsed = parseNdjsonLine(JSON.stringify(line), 1, "fallback");
    assert(!("content" in parsed));
    assertEquals(parsed.type, line.type);
  }
  const own = parseNdjsonLine('{"type":"missed","topic":"a","text":"x"}', 1, undefined);
  assert("content" in own, "who has a field type of their own may use any word there");
});
