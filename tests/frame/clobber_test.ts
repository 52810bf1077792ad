/**
 * A decoder must keep no view of its caller's buffer. Here the buffer is overwritten whenever the
 * contract allows it, with bytes that would be noticed.
 */
import { Buffer } from "node:buffer";
import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { ChunkDecoder, type Frame, FrameDecoder, HeaderCache } from "../../lib/frame/mod.ts";
import { assertSameJson, headerText, join, rawFrame } from "./raw_frames.ts";

interface Sent {
  readonly header: string;
  readonly content: string;
}

const anySent: fc.Arbitrary<Sent> = fc.tuple(
  fc.constantFrom("", ',"id":1', ',"id":22', ',"id":23', ',"topic":"a.b"', ',"nested":{"a":["é"]}'),
  fc.constantFrom("", "x", "content", "0123456789", "long ".repeat(30)),
).map(([extra, content]) => ({ header: headerText(content.length, extra), content }));

const anyStream = fc.array(anySent, { minLength: 1, maxLength: 30 });

/** Overwrites bytes, with one that may also stand in a stream. */
function clobber(bytes: Uint8Array, rubbish: number): void {
  bytes.fill(rubbish);
}

function streamOf(sent: readonly Sent[]): Uint8Array<ArrayBuffer> {
  return join(...sent.map(({ header, content }) => rawFrame(header, content)));
}

function assertAll(kept: readonly Frame[], sent: readonly Sent[]): void {
  assertEquals(kept.length, sent.length);
  for (const [i, { header, content }] of sent.entries()) {
    const frame = kept[i]!;
    assertSameJson(frame.header, JSON.parse(header));
    assertEquals(frame.text(), content);
    assertEquals(new Uint8Array(frame.bytes), rawFrame(header, content));
    assert(frame.complete);
  }
}

Deno.test("headers, detached frames and later results outlive the caller's buffer", () => {
  fc.assert(
    fc.property(
      anyStream,
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 }),
      fc.constantFrom(0x00, 0x22, 0x31, 0x7b, 0xff),
      fc.constantFrom(1, 2, 64),
      (sent, reads, rubbish, capacity) => {
        const bytes = streamOf(sent);
        const decoder = new FrameDecoder({ headerCache: new HeaderCache(capacity) });
        const kept: Frame[] = [];
        let rest = new Uint8Array(0);
        for (let offset = 0, i = 0; offset < bytes.length; i++) {
          const count = reads[i % reads.length]!;
          // Another place in another buffer each time: the unconsumed bytes come first.
          const start = i % 5;
          const read = bytes.subarray(offset, offset + count);
          const buffer = join(new Uint8Array(start).fill(rubbish), rest, read);
          offset += count;
          const batch = decoder.decode(buffer, start);
          assertEquals(batch.error, undefined);
          for (const frame of batch.frames) kept.push(frame.detach());
          rest = buffer.slice(start + batch.consumed);
          clobber(buffer, rubbish);
        }
        assertAll(kept, sent);
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("one buffer that is used for every read does no harm", () => {
  fc.assert(
    fc.property(anyStream, fc.integer({ min: 1, max: 90 }), (sent, count) => {
      const bytes = streamOf(sent);
      const decoder = new FrameDecoder();
      const buffer = new Uint8Array(1_024);
      const headers = [];
      const contents = [];
      let kept = 0;
      for (let offset = 0; offset < bytes.length; offset += count) {
        const read = bytes.subarray(offset, offset + count);
        buffer.set(read, kept);
        const end = kept + read.length;
        const { frames, consumed } = decoder.decode(buffer, 0, end);
        for (const frame of frames) {
          headers.push(frame.header);
          contents.push(frame.text());
        }
        buffer.copyWithin(0, consumed, end);
        kept = end - consumed;
        clobber(buffer.subarray(kept), 0x20);
      }
      assertEquals(contents, sent.map(({ content }) => content));
      for (const [i, header] of headers.entries()) {
        assertSameJson(header, JSON.parse(sent[i]!.header));
      }
    }),
    { numRuns: 200 },
  );
});

Deno.test("chunks overwritten once their frames are handled do no harm", () => {
  fc.assert(
    fc.property(anyStream, fc.integer({ min: 1, max: 300 }), (sent, size) => {
      const bytes = streamOf(sent);
      const decoder = new ChunkDecoder();
      const kept: Frame[] = [];
      for (let offset = 0; offset < bytes.length; offset += size) {
        const chunk = bytes.slice(offset, offset + size);
        for (const frame of decoder.push(chunk).frames) kept.push(frame.detach());
        clobber(chunk, 0x7d);
      }
      assertAll(kept, sent);
    }),
    { numRuns: 200 },
  );
});

Deno.test("a Buffer of node:buffer, whose slice() copies nothing, does no harm", () => {
  fc.assert(
    fc.property(anyStream, fc.integer({ min: 1, max: 300 }), (sent, size) => {
      const bytes = streamOf(sent);
      const inChunks = new ChunkDecoder();
      const inBuffer = new FrameDecoder();
      const buffer = Buffer.alloc(1_024);
      const kept: Frame[][] = [[], []];
      let left = 0;
      for (let offset = 0; offset < bytes.length; offset += size) {
        const read = bytes.subarray(offset, offset + size);
        const chunk = Buffer.from(read);
        for (const frame of inChunks.push(chunk).frames) kept[0]!.push(frame.detach());
        clobber(chunk, 0x7d);
        buffer.set(read, left);
        const end = left + read.length;
        const { frames, consumed } = inBuffer.decode(buffer, 0, end);
        for (const frame of frames) kept[1]!.push(frame.detach());
        buffer.copyWithin(0, consumed, end);
        left = end - consumed;
        clobber(buffer.subarray(left), 0x31);
      }
      for (const each of kept) assertAll(each, sent);
    }),
    { numRuns: 300 },
  );
});

Deno.test("a header learnt from a Buffer is not that of the next read", () => {
  const buffer = Buffer.alloc(1_024);
  const decoder = new FrameDecoder();
  for (const [i, type] of ["text/aaaaa", "text/bbbbb", "text/ccccc"].entries()) {
    const bytes = rawFrame(headerText(i).replace("text/plain", type), "x".repeat(i));
    buffer.set(bytes);
    const { frames } = decoder.decode(buffer, 0, bytes.length);
    assertEquals(frames[0]?.header["content-type"], type);
  }
});

Deno.test("parts of a streamed content do not depend on the buffer of earlier parts", () => {
  const content = Array.from({ length: 100 }, (_, i) => String.fromCharCode(97 + i % 26)).join("");
  const bytes = rawFrame(headerText(100, ',"id":5'), content);
  for (let size = 1; size < bytes.length; size++) {
    const decoder = new FrameDecoder({ streamAbove: 10 });
    let rest = new Uint8Array(0);
    let text = "";
    for (let offset = 0; offset < bytes.length; offset += size) {
      const buffer = join(rest, bytes.subarray(offset, offset + size));
      const { frames, consumed } = decoder.decode(buffer);
      for (const frame of frames) {
        assertEquals(frame.header["id"], 5);
        text += frame.text();
      }
      rest = buffer.slice(consumed);
      clobber(buffer, 0);
    }
    assertEquals(text, content);
  }
});
