import { assertEquals } from "@std/assert";
import { closeQuietly } from "../../lib/base/close_quietly.ts";

Deno.test("closeQuietly() closes what is open, and does not mind what is not", () => {
  let calls = 0;
  const once = {
    close() {
      if (++calls > 1) throw new Deno.errors.BadResource("It is closed");
    },
  };
  closeQuietly(once);
  closeQuietly(once);
  closeQuietly(undefined);
  assertEquals(calls, 2);
});
