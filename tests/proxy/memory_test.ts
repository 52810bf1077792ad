import { assert, assertEquals } from "@std/assert";
import { flood } from "./flood.ts";

Deno.test({
  name: "256 MiB through a proxy take no memory that stays",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const { moreBytes, receivedBytes } = await flood(268_435_456);
    assertEquals(receivedBytes, 268_435_456);
    assert(moreBytes < 67_108_864, `${moreBytes} bytes more`);
  },
});
