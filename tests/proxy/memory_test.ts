import { assert, assertEquals } from "@std/assert";
import { flood } from "./flood.ts";

Deno.test({
  name: "512 MiB through a proxy take no memory that stays",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const { moreBytes, receivedBytes } = await flood(536_870_912);
    assertEquals(receivedBytes, 536_870_912);
    assert(moreBytes < 67_108_864, `${moreBytes} bytes more`);
  },
});
