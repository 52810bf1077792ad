import { assert, assertEquals, assertMatch } from "@std/assert";
import { encodeFrame } from "../../../lib/frame/mod.ts";
import { type ReplyInit, serveRequests } from "../../../lib/request/mod.ts";
import { pause, until } from "../../support/deadline.ts";
import { listenLocally, RawClient, rawFrame, Recorder } from "../../support/peers.ts";

const header = (fields: object) =>
  JSON.stringify({
    byteorder: "little",
    "content-type": "text/json",
    "content-encoding": "utf-8",
    "content-length": 2,
    ...fields,
  });

/** Broken frames: their bytes, the code, and whether the stream must end to show it. */
const BROKEN: Record<string, [bytes: Uint8Array, code: string, atEnd?: boolean]> = {
  "a header of no bytes": [rawFrame(""), "header-syntax"],
  "a header that is not UTF-8": [rawFrame(new Uint8Array([0x7b, 0xff, 0x7d])), "header-syntax"],
  "a byte order mark": [rawFrame("\ufeff" + header({}), "{}"), "header-syntax"],
  "a header that is not JSON": [rawFrame("{", "{}"), "header-syntax"],
  "a header that is an array": [rawFrame("[]"), "header-syntax"],
  "a header that is null": [rawFrame("null"), "header-syntax"],
  "no fields": [rawFrame("{}"), "header-field"],
  "a wrong byteorder": [rawFrame(header({ byteorder: "middle" }), "{}"), "header-field"],
  "a content-type that is no text": [rawFrame(header({ "content-type": 1 })), "header-field"],
  "a content-encoding of null": [rawFrame(header({ "content-encoding": null })), "header-field"],
  "a length below 0": [rawFrame(header({ "content-length": -1 })), "header-field"],
  "half a byte": [rawFrame(header({ "content-length": 0.5 })), "header-field"],
  "a length as text": [rawFrame(header({ "content-length": "2" })), "header-field"],
  "a length of 2^53": [rawFrame(header({ "content-length": 2 ** 53 })), "header-field"],
  "content above the limit": [rawFrame(header({ "content-length": 1_001 })), "frame-too-large"],
  "content of petabytes": [rawFrame(header({ "content-length": 2 ** 52 })), "frame-too-large"],
  "a header above the limit": [rawFrame(header({ pad: "x".repeat(1_000) })), "frame-too-large"],
  "half a length": [new Uint8Array([0]), "truncated", true],
  "half a header": [rawFrame(header({})).subarray(0, 30), "truncated", true],
  "a length and no header": [new Uint8Array([0, 9]), "truncated", true],
  "half a content": [rawFrame(header({ "content-length": 5 }), "{}"), "truncated", true],
  "no content": [rawFrame(header({})), "truncated", true],
};

const LIMITS = { maxContentBytes: 1_000, maxHeaderBytes: 1_000 };

for (const [what, [bytes, code, atEnd]] of Object.entries(BROKEN)) {
  Deno.test(`${what} gets one last error with the code ${code}, after the earlier answers`, async () => {
    const observer = new Recorder();
    const later: (() => void)[] = [];
    await using server = serveRequests(
      await listenLocally(),
      (request): ReplyInit | Promise<ReplyInit> => {
        const content = request.text();
        if (content !== "later") return { content };
        return new Promise((resolve) => later.push(() => resolve({ content })));
      },
      { ...LIMITS, observer },
    );
    using other = await RawClient.connect(server.address);
    await other.send({ content: "before" });
    assertEquals((await other.answer())?.text(), "before");

    using client = await RawClient.connect(server.address);
    const rest = encodeFrame({ content: "never answered" });
    await client.send({ content: "first" }, { content: "later" }, { content: "third" }, bytes);
    if (atEnd) await client.closeWrite();
    else await client.send(rest);
    assertEquals((await client.answer())?.text(), "first");
    await until(() => later.length === 1 && observer.frameErrors.length === 1);
    later[0]!();
    assertEquals((await client.answer())?.text(), "later");
    assertEquals((await client.answer())?.text(), "third");
    const { result, error } = await client.json() as {
      result: string;
      error: { code: string; message: string };
    };
    assertEquals(error.code, code);
    assertEquals(result, `Error: ${error.message}`);
    assertEquals(await client.answer(), undefined);
    assertEquals(client.error, undefined);
    client.close();

    assertEquals(await observer.ended(1), ["protocol"]);
    assertEquals(observer.frameErrors.map((error) => error.code), [code]);
    assertEquals([observer.requestErrors, observer.errors], [[], []]);
    await other.send({ content: "after" });
    assertEquals((await other.answer())?.text(), "after");
  });
}

Deno.test("a client that goes on sending behind a broken frame still reads the error", async () => {
  await using server = serveRequests(await listenLocally(), () => ({ content: "x" }));
  using client = await RawClient.connect(server.address);
  await client.send(rawFrame("{"));
  let sent = 0;
  const sending = (async () => {
    const chunk = new Uint8Array(65_536);
    while (sent < 20) {
      await client.send(chunk);
      sent++;
    }
  })().catch(() => {});
  const { error } = await client.json() as { error: { code: string } };
  assertEquals(error.code, "header-syntax");
  await sending;
});

Deno.test("a client that breaks off inside a frame is gone, and that is all", async () => {
  const observer = new Recorder();
  await using server = serveRequests(await listenLocally(), () => ({ content: "x" }), { observer });
  for (let i = 0; i < 10; i++) {
    const client = await RawClient.connect(server.address);
    await client.send(rawFrame(header({ "content-length": 100 }), "{"));
    client.close();
  }
  await observer.ended(10);
  using client = await RawClient.connect(server.address);
  await client.send({ content: "?" });
  assertEquals((await client.answer())?.text(), "x");
  assertEquals(observer.requestErrors, []);
});

Deno.test("the message of an error names the numbers", async () => {
  await using server = serveRequests(await listenLocally(), () => ({ content: "x" }), LIMITS);
  const messageOf = async (bytes: Uint8Array) => {
    using client = await RawClient.connect(server.address);
    await client.send(bytes);
    await client.closeWrite();
    return (await client.json() as { error: { message: string } }).error.message;
  };
  assertMatch(await messageOf(BROKEN["content above the limit"]![0]), /1001 bytes.*1000 bytes/);
  assertMatch(await messageOf(BROKEN["half a content"]![0]), /content.*2 of 5 bytes/);
  assertMatch(await messageOf(BROKEN["a wrong byteorder"]![0]), /"byteorder".*"middle"/);
});

Deno.test("a frame that drips in, or never comes, is cut off without harm to others", async () => {
  const observer = new Recorder();
  await using server = serveRequests(await listenLocally(), () => ({ content: "x" }), {
    observer,
    frameTimeoutMs: 200,
    firstByteTimeoutMs: 400,
  });
  using good = await RawClient.connect(server.address);
  await good.send({ content: "?" });
  assertEquals((await good.answer())?.text(), "x");
  using silent = await RawClient.connect(server.address);
  using dripping = await RawClient.connect(server.address);
  const bytes = encodeFrame({ content: "?".repeat(1_000) });
  const drip = (async () => {
    for (const byte of bytes) {
      await dripping.send(new Uint8Array([byte]));
      await pause(10);
      if (observer.reasons.includes("frame-timeout")) break;
    }
  })().catch(() => {});
  await observer.ended(2);
  await drip;
  assertEquals(observer.reasons.toSorted(), ["first-byte-timeout", "frame-timeout"]);
  assert(await silent.closed());
  await good.send({ content: "?" });
  assertEquals((await good.answer())?.text(), "x");
});
