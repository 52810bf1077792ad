import { assertEquals } from "@std/assert";
import { parseFrameMatch } from "../../lib/capture/mod.ts";
import { action, answer, text, watched } from "./watched.ts";

Deno.test("parseFrameMatch() chooses frames by fields, topics, actions and directions", () => {
  const { up, down, frames } = watched();
  up(text("pub", "", { topic: "orders.eu.new", n: 5 }));
  up(action("get"));
  down(answer());
  const chosen = (conditions: string) => {
    const match = parseFrameMatch(conditions);
    return frames.flatMap((event, i) => match(event) ? [i] : []);
  };
  const cases: Record<string, number[]> = {
    "op=pub": [0],
    "op=p*": [0],
    "op!=pub": [1, 2],
    "topic=orders.>": [0],
    "topic=>": [0],
    "topic=orders.*.new": [0],
    "topic=orders.*": [],
    "topic=orders": [],
    "topic=orders.eu.new.>": [],
    "topic=orders.e.*": [],
    "n=5 op=pub": [0],
    "n=5 op=sub": [],
    "action=get": [1, 2],
    "kind=answer": [2],
    "direction=down": [2],
    "connection=1": [0, 1, 2],
    "content-type=text/*": [0, 1, 2],
  };
  for (const [conditions, expected] of Object.entries(cases)) {
    assertEquals(chosen(conditions), expected, conditions);
  }
});
