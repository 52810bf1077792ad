import { assertEquals } from "@std/assert";
import { CostEstimate } from "../../lib/search/cost.ts";

Deno.test("a query is as costly as it was the last time, and a new one as it looks", () => {
  const cost = new CostEstimate();
  const long = "word ".repeat(30);
  assertEquals([cost.isCostly("word"), cost.isCostly("wo*"), cost.isCostly(long)], [
    false,
    true,
    true,
  ]);
  cost.took("word", 50);
  cost.took("wo*", 1);
  cost.took(long, 1);
  assertEquals([cost.isCostly("word"), cost.isCostly("wo*"), cost.isCostly(long)], [
    true,
    false,
    false,
  ]);
  cost.took("word", 1);
  assertEquals(cost.isCostly("word"), false);
});

Deno.test("short beginnings, alternatives and many words look costly", () => {
  const cost = new CostEstimate();
  for (
    const query of ["a*", "word wo*", "ku OR le", "k OR l OR m", "word ".repeat(30)]
  ) {
    assertEquals(cost.isCostly(query), true, query);
  }
  for (const query of ["word", "wor*", "two words", '"a phrase"', "or", "ORB ORE", "word -other"]) {
    assertEquals(cost.isCostly(query), false, query);
  }
});

Deno.test("of a query that fills a request nothing is remembered", () => {
  const cost = new CostEstimate();
  const query = "word ".repeat(10_000);
  cost.took(query, 1);
  assertEquals(cost.isCostly(query), true);
});
