import { assert, assertEquals, assertMatch } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { runLoad } from "../../lib/load/mod.ts";
import { Template } from "../../lib/load/template.ts";
import { serveConnections } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { listenLocally } from "../support/peers.ts";

Deno.test("Template fills in what stands in braces, and leaves other braces alone", () => {
  const values = { seq: 12, conn: 3 };
  const render = (text: string) => new Template(text).render(values);
  assertEquals(render('{"id":{seq},"conn":"{conn}{conn}"}'), '{"id":12,"conn":"33"}');
  assertMatch(render("<{random:8}>"), /^<[a-z0-9]{8}>$/);
  for (const text of ["{sequence}", "{random}", "{random:0}", "{ seq }", "{", ""]) {
    assertEquals([Template.has(text), render(text)], [false, text]);
  }
  assert(render("{random:20}") !== render("{random:20}"));
});

Deno.test("runLoad() numbers the messages of all connections, and compares their echoes", async () => {
  const seen = new Set<string>();
  let text = "";
  await using server = serveConnections(await listenLocally(), {
    async serve(connection) {
      const { input, output } = connection;
      while (await connection.read()) {
        const bytes = input.bytes.subarray(input.start, input.end);
        text += new TextDecoder().decode(bytes);
        output.buffer.append(bytes);
        input.consume(bytes.length);
        output.flush();
      }
    },
  });
  for (const ratePerSecond of [undefined, 1_000]) {
    text = "";
    const { summary } = await deadline(runLoad({
      address: server.address,
      connections: 3,
      count: 20,
      ratePerSecond,
      workers: 2,
      messages: ["{seq} of {conn} {random:5};"],
    }));
    assertEquals([summary.answered, summary.errors], [60, 0]);
    seen.clear();
    for (const [, seq, conn] of text.matchAll(/(\d+) of (\d+) [a-z0-9]{5};/g)) {
      seen.add(seq!);
      assertEquals((Number(seq) - 1) % 3, Number(conn) - 1);
    }
    assertEquals([seen.size, seen.has("1"), seen.has("60")], [60, true, true]);
  }
});

Deno.test("runLoad() tells of a wrong echo of a message with placeholders", async () => {
  await using good = serveEcho(await listenLocally());
  const plan = { count: 2, messages: ["{seq}!"] };
  assertEquals((await runLoad({ ...plan, address: good.address })).summary.errors, 0);
  await using bad = serveConnections(await listenLocally(), {
    async serve(connection) {
      while (await connection.read()) {
        connection.input.consume(connection.input.end - connection.input.start);
        connection.output.buffer.append(new TextEncoder().encode("1?"));
        connection.output.flush();
      }
    },
  });
  const { failures } = await deadline(runLoad({ ...plan, address: bad.address }));
  assertMatch(failures.get("wrong")!, /the echo differs at byte 1: 0x3f came, 0x21 was sent/);
});
