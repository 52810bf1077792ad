import { assertEquals } from "@std/assert";
import { LossyOutput } from "../../../cmd/_cli/lossy_output.ts";
import { Output } from "../../../cmd/_cli/output.ts";

/** A reader that takes nothing until it is told to. */
function slowReader() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let text = "";
  const sink = {
    isTerminal: () => false,
    async write(bytes: Uint8Array) {
      await promise;
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  };
  return { out: new Output(sink), read: resolve, lines: () => text.trimEnd().split("\n") };
}

const LONG = "x".repeat(70_000);
const told = (count: number) => ({ count });

Deno.test("what is left out while the reader is behind is counted in its place", async () => {
  const { out, read, lines } = slowReader();
  const lossy = new LossyOutput(out, told);
  lossy.print("first");
  lossy.print(LONG);
  for (let i = 0; i < 5; i++) lossy.print("left out");
  assertEquals(lossy.leavesOut(), true);
  read();
  await out.flush();
  lossy.print({ last: true });
  await out.flush();
  assertEquals(lines(), ["first", LONG, '{"count":6}', '{"last":true}']);
});

Deno.test("how many were left out can be told at the end, before the reader has caught up", async () => {
  const { out, read, lines } = slowReader();
  const lossy = new LossyOutput(out, told);
  lossy.print(LONG);
  lossy.print("left out");
  lossy.finish();
  out.line("end");
  read();
  await out.flush();
  assertEquals(lines(), [LONG, '{"count":1}', "end"]);
});
