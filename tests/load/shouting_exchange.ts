/** An exchange as a module, for workers to load. */
import { RequestClient } from "../../lib/request/mod.ts";
import type { LoadExchange } from "../../lib/load/mod.ts";

/** Sends a text, and counts the answers that are it in capitals. */
export default function shouting({ text }: { readonly text: string }): LoadExchange {
  let shouted = 0;
  return {
    open(conn) {
      const client = new RequestClient(conn);
      return async () => {
        const reply = await client.request({ content: text });
        if (reply.text() === text.toUpperCase()) shouted++;
      };
    },
    counts: () => ({ shouted }),
  };
}
