import { assertEquals, assertRejects } from "@std/assert";
import { CaptureError, openRecorder } from "../../lib/capture/mod.ts";
import { loadWithin } from "../../lib/capture/replay/recording.ts";
import { encodeFrame } from "../../lib/frame/mod.ts";

Deno.test("a recording counts by its bytes, and by its connections, which take more than that", async () => {
  const path = await Deno.makeTempFile({ suffix: ".pcapng" });
  const end = (port: number) => ({ transport: "tcp", hostname: "127.0.0.1", port } as const);
  {
    using recorder = openRecorder({ path });
    for (let i = 0; i < 100; i++) {
      const connection = recorder.open(end(50_000 + i), end(5634));
      connection.bytes("up", encodeFrame({ header: { op: "ping", id: i } }));
      connection.ended("up");
      connection.ended("down");
    }
  }
  const load = async (maxBytes: number) => {
    using file = await Deno.open(path);
    return await loadWithin(file, maxBytes);
  };
  const { sessions, incomplete } = await load(400_000);
  assertEquals([sessions.length, incomplete], [100, 0]);
  const error = await assertRejects(() => load(200_000), CaptureError, "Cannot play back more");
  assertEquals(error.code, "too-large");
  await Deno.remove(path);
});
