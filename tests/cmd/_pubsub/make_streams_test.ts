import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../cmd/_cli/mod.ts";
import { readStreams } from "../../../cmd/_pubsub/make_streams.ts";

Deno.test("streams that cannot be there, or not together, are refused before one is made", () => {
  const wrong: readonly (readonly [texts: readonly string[], problem: string])[] = [
    [["x"], "write the stream's name"],
    [["=x.>"], "the name cannot be used"],
    [["ä=x.>"], "the name cannot be used"],
    [["x="], "it is empty"],
    [["x=x.>,"], "it is empty"],
    [["x=x y"], "white space"],
    [["x=_dead.>"], "are the system's"],
    [["x=x.>,x.y"], '"x.y" overlaps "x.>"'],
    [["x=x.>", "z=z", "y=a.>,x.y"], "--stream y: x.y overlaps x.> of x"],
    [["x=*.b", "y=a.*"], "--stream y: a.* overlaps *.b of x"],
    [["x=x.>", "x=y.>"], "--stream x is given with x.> and with y.>"],
  ];
  for (const [texts, problem] of wrong) assertThrows(() => readStreams(texts), UsageError, problem);
  const right = [["x=x.>,y.>", "z=z.a=b"], ["x=x.>,y.>", "x=y.>,x.>"], ["x=a.*", "y=b.*", "z=a"]];
  for (const texts of right) assertEquals(readStreams(texts).length, texts.length);
});
