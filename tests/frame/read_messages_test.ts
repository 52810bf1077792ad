import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { encodeFrame, jsonFrame, readMessages, type StreamedMessage } from "../../lib/frame/mod.ts";
import { byteByByte, byteSource, readInto, SOURCES, textOf } from "./byte_source.ts";
import { bytesOf, join, plainFrame } from "./raw_frames.ts";

const LARGE = "large content ".repeat(20_000);

/** The same bytes as single bytes, in chunks of a few sizes and at once. */
function splits(bytes: Uint8Array): Uint8Array[][] {
  const chunks = [1_000, 65_536].map((size) => {
    const pieces = [];
    for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
    return pieces;
  });
  return [...chunks, [bytes], ...(bytes.length < 1_000 ? [byteByByte(bytes)] : [])];
}

/** Every way to read the whole of a content. */
const READERS: Record<string, (message: StreamedMessage) => Promise<string>> = {
  "bytes()": async (message) => new TextDecoder().decode(await message.bytes()),
  "text()": (message) => message.text(),
  "json()": async (message) => JSON.stringify(await message.json()),
  "numbers()": async (message) => String.fromCharCode(...await message.numbers("uint8")),
  "reader()": async (message) => {
    const reader = await message.reader();
    let text = "";
    while (reader.remaining > 0) text += String.fromCharCode(reader.uint8());
    return text;
  },
  content: (message) => textOf(message.content),
  "content into memory": async (message) => {
    const parts = await Array.fromAsync(readInto(message.content, 100_000));
    return new TextDecoder().decode(join(...parts));
  },
};

/** Every way to read a content, from every type of source. */
const WAYS = Object.entries(READERS).flatMap(([name, read]) =>
  Object.entries(SOURCES).map(([source, from]) =>
    [name, `${name}, from a source ${source}`, read, from] as const
  )
);

for (const [name, how, read, from] of WAYS) {
  Deno.test(`a message's content is read whole by ${how}`, async () => {
    const texts = ['"a"', `"${"b".repeat(300)}"`, '"c"'];
    const bytes = join(...texts.map((text) => encodeFrame({ content: text })));
    for (const chunks of splits(bytes)) {
      const got = [];
      for await (const message of readMessages(from(chunks).stream)) {
        assertEquals(message.contentUsed, false);
        got.push(await read(message));
        assertEquals(message.contentUsed, true);
      }
      assertEquals(got, texts);
    }
  });

  Deno.test(`a message's content cannot be read a second time after ${how}`, async () => {
    for (const content of ['"small"', `"${LARGE}"`]) {
      if (content.length > 1_000 && name === "numbers()") continue;
      const bytes = encodeFrame({ content });
      for (const chunks of splits(bytes)) {
        const messages = readMessages(from(chunks).stream).getReader();
        const { value: message } = await messages.read();
        assert(message);
        await read(message);
        for (const again of ["bytes", "text", "json", "reader"] as const) {
          await assertRejects(() => message[again](), TypeError);
        }
        await assertRejects(() => message.numbers("uint8"), TypeError);
        if (name.startsWith("content")) {
          assertEquals((await message.content.getReader().read()).done, true);
        } else await assertRejects(() => message.content.getReader().read(), TypeError);
        assertEquals((await messages.read()).done, true);
      }
    }
  });
}

Deno.test("content cannot be read whole while it is read as a stream", async () => {
  for (const content of ["small", LARGE]) {
    const messages = readMessages(ReadableStream.from([encodeFrame({ content })])).getReader();
    const { value: message } = await messages.read();
    assert(message);
    const reader = message.content.getReader();
    await reader.read();
    assertEquals(message.contentUsed, true);
    await assertRejects(() => message.text(), TypeError);
    await messages.cancel();
    await reader.cancel();
  }
});

Deno.test("content that is empty is an empty stream, empty bytes and empty text", async () => {
  const bytes = join(...Array(3).fill(plainFrame("")));
  for (const chunks of splits(bytes)) {
    const messages = readMessages(ReadableStream.from(chunks)).getReader();
    assertEquals(await Array.fromAsync((await messages.read()).value!.content), []);
    assertEquals(await (await messages.read()).value!.bytes(), new Uint8Array(0));
    assertEquals(await (await messages.read()).value!.text(), "");
    assertEquals((await messages.read()).done, true);
  }
});

Deno.test("large content comes out the same, as a stream and whole", async () => {
  const bytes = join(
    encodeFrame({ content: LARGE }),
    encodeFrame({ content: LARGE }),
    plainFrame("end"),
  );
  for (const chunks of splits(bytes)) {
    const messages = readMessages(ReadableStream.from(chunks)).getReader();
    assertEquals(await textOf((await messages.read()).value!.content) === LARGE, true);
    assertEquals(await (await messages.read()).value!.text() === LARGE, true);
    assertEquals(await (await messages.read()).value!.text(), "end");
    await messages.cancel();
  }
});

Deno.test("the header of a message may be kept", async () => {
  const bytes = join(
    plainFrame("a", ',"id":1'),
    plainFrame("b", ',"id":2'),
    plainFrame("c", ',"id":1'),
  );
  const messages = await Array.fromAsync(readMessages(ReadableStream.from(byteByByte(bytes))));
  assertEquals(messages.map((message) => message.header["id"]), [1, 2, 1]);
  assert(messages.every((message) => Object.isFrozen(message.header)));
});

Deno.test("messages of JSON are read as JSON", async () => {
  const values = [{ a: [1, null, "é🐶"] }, "text", 0, null, { ["__proto__"]: 1 }];
  const bytes = join(...values.map((value) => encodeFrame(jsonFrame(value))));
  const got: unknown[] = [];
  for await (const message of readMessages(ReadableStream.from([bytes]))) {
    got.push(await message.json());
  }
  assertEquals(JSON.stringify(got), JSON.stringify(values));
});

Deno.test("nothing is read before it is asked for", async () => {
  const source = byteSource(Array(100).fill(plainFrame("a")));
  const messages = readMessages(source.stream).getReader();
  await Promise.resolve();
  assertEquals(source.pulls, 0);
  await messages.read();
  assert(source.pulls <= 2, `${source.pulls} chunks were read for the first message`);
  await messages.cancel();
});

Deno.test("large content is read from the source as it is asked for", async () => {
  const size = 65_536;
  const total = 100 * size;
  const header = encodeFrame({ content: new Uint8Array(total) }).subarray(0, -total);
  const source = byteSource([header, ...Array(100).fill(new Uint8Array(size))]);
  const messages = readMessages(source.stream).getReader();
  const { value: message } = await messages.read();
  const content = message!.content.getReader();
  assert(source.pulls <= 3, `${source.pulls} chunks were read for the header`);
  for (let i = 1; i <= 5; i++) {
    await content.read();
    assert(source.pulls <= i + 4, `${source.pulls} chunks were read for ${i}`);
  }
  await content.cancel();
  await messages.cancel();
});

Deno.test("messages that came in one chunk can be read from it", async () => {
  const bytes = join(...Array.from({ length: 1_000 }, (_, i) => plainFrame(String(i))));
  let next = 0;
  for await (const message of readMessages(ReadableStream.from([bytes]))) {
    assertEquals(await message.bytes(), bytesOf(String(next++)));
  }
  assertEquals(next, 1_000);
});

Deno.test("readMessages() refuses a limit that is no number of bytes", async () => {
  for (const name of ["maxContentBytes", "maxHeaderBytes", "maxBufferedBytes"]) {
    for (const limit of [-1, NaN]) {
      const { stream } = byteSource([]);
      assertThrows(() => readMessages(stream, { [name]: limit }), RangeError);
      assertEquals(stream.locked, false, "the stream can be used otherwise");
      await stream.cancel();
    }
  }
});
