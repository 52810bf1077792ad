import { assert, assertEquals } from "@std/assert";
import { encodeHead, FrameDecoder } from "../../../../lib/frame/mod.ts";
import { OutgoingStream } from "../../../../lib/net/bytes/outgoing_stream.ts";
import { LinkOutput } from "../../../../lib/pubsub/client/link/link_output.ts";
import { until } from "../../../support/deadline.ts";
import { codeOf } from "../support.ts";

/** A socket that takes so many bytes a write, once it is open. */
function socket(most = Infinity) {
  const taken: number[] = [];
  let writes = 0;
  const open = Promise.withResolvers<void>();
  return {
    open,
    get writes() {
      return writes;
    },
    async write(bytes: Uint8Array) {
      writes++;
      await open.promise;
      const part = bytes.subarray(0, most);
      taken.push(...part);
      return part.length;
    },
    texts: () => new FrameDecoder().decode(Uint8Array.from(taken)).frames.map((one) => one.text()),
  };
}

const quiet = () => {};

Deno.test("what is sent in a turn is one write and one promise, with encoded heads or without", async () => {
  const sink = socket(50);
  const output = new LinkOutput(sink, quiet, quiet);
  const head = encodeHead({ op: "pub" }, true);
  const sent = [
    output.send({ content: "1" }),
    output.sendHead(head, "2", undefined),
    output.sendHead(head, "3", ',"id":1'),
  ];
  assert(sent.every((one) => one === sent[0]));
  await undefined;
  const later = output.send({ content: "4" });
  assert(later !== sent[0]);
  assertEquals(sink.writes, 1);
  sink.open.resolve();
  await Promise.all([...sent, later]);
  assertEquals([sink.texts(), output.pendingBytes], [["1", "2", "3", "4"], 0]);
});

Deno.test("behind a stream all waits, and an encoded head is not taken", async () => {
  const sink = socket();
  sink.open.resolve();
  const output = new LinkOutput(sink, quiet, quiet);
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const header = { "content-type": "text/plain", "content-encoding": "utf-8" } as const;
  const frame = { header: { ...header, "content-length": 2 }, content: readable };
  const streamed = output.sendStream(new OutgoingStream(frame, 10_000));
  assert(output.isStreaming);
  assertEquals(output.sendHead(encodeHead({}, true), "x", undefined), undefined);
  const behind = output.send({ content: "behind" });
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode("ab"));
  await writer.close();
  await Promise.all([streamed, behind]);
  assertEquals(sink.texts(), ["ab", "behind"]);
});

Deno.test("what a lost connection has not taken is rejected, and what comes later", async () => {
  const sink = socket();
  const output = new LinkOutput(sink, quiet, quiet);
  const taken = codeOf(output.send({ content: "1" }));
  await undefined;
  const gathered = codeOf(output.send({ content: "2" }));
  output.close(new Error("lost"));
  const later = codeOf(output.send({ content: "3" }));
  assertEquals(await Promise.all([taken, gathered, later]), Array(3).fill("disconnected"));
  assertEquals(output.sendHead(encodeHead({}, true), "x", undefined), undefined);
  sink.open.resolve();
});

Deno.test("a write that fails is told", async () => {
  const failures: unknown[] = [];
  const output = new LinkOutput(
    { write: () => Promise.reject(new Error("reset")) },
    (error) => failures.push(error),
    quiet,
  );
  void output.send({ content: "1" });
  await until(() => failures.length === 1);
  assertEquals((failures[0] as { code: string }).code, "disconnected");
});
