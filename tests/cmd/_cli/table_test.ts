import { assertEquals } from "@std/assert";
import { fittingLines } from "../../../cmd/_cli/table.ts";

const HEAD = ["NAME", "TOPICS", "MESSAGES"];
const ROWS = [["orders", "orders.>", "5"], ["a", "a.>,b.>", "-"]];

Deno.test("a table that is too wide has a line for each cell", () => {
  const table = [
    "NAME    TOPICS    MESSAGES",
    "orders  orders.>  5",
    "a       a.>,b.>   -",
  ];
  assertEquals(fittingLines(HEAD, ROWS, Infinity), table);
  assertEquals(fittingLines(HEAD, ROWS, 26), table);
  assertEquals(fittingLines(HEAD, ROWS, 25), [
    "NAME      orders",
    "TOPICS    orders.>",
    "MESSAGES  5",
    "",
    "NAME      a",
    "TOPICS    a.>,b.>",
    "MESSAGES  -",
  ]);
  assertEquals(fittingLines(HEAD, [], 5), []);
});
