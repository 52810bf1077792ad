import { assertEquals } from "@std/assert";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { openSearch, searchHandler } from "../../lib/search/mod.ts";
import { deadline } from "../support/deadline.ts";

Deno.test("a client sees its own writes in every later request, pipelined or not", async () => {
  await using engine = await openSearch({ data: [], writable: true });
  await using server = await serveRequests("127.0.0.1:0", searchHandler(engine), {
    maxContentBytes: engine.maxRequestBytes,
  });
  await using client = await connectRequests(server.address, { maxOutstanding: 512 });
  await using other = await connectRequests(server.address);
  const ask = async (request: object, by = client) =>
    (await by.request(jsonFrame(request as Record<string, unknown>))).json() as Record<
      string,
      unknown
    >;
  const large = "large ".repeat(20_000);
  const checks: Promise<void>[] = [];
  for (let i = 0; i < 60; i++) {
    const [key, text] = [`k${i}`, `round ${i} ${i % 20 === 0 ? large : ""}word${i}`];
    // Asked before, so that its reply may be kept.
    checks.push(ask({ action: "search", value: key }).then(() => {}));
    const put = ask({ action: "put", key, value: text });
    const exact = ask({ action: "search", value: key });
    const ranked = ask({ action: "search", value: `word${i}`, limit: 3 });
    const got = ask({ action: "get", value: key });
    checks.push((async () => {
      await put;
      assertEquals((await exact)["exact"], true);
      assertEquals([(await exact)["result"], (await got)["result"]], [text, text]);
      assertEquals((await ranked)["total"], 1);
    })());
  }
  await deadline(Promise.all(checks));
  const deleted = ask({ action: "delete", value: "k3" });
  assertEquals((await ask({ action: "search", value: "k3" }))["exact"], false);
  await deleted;
  // After its answer everybody sees a write.
  await ask({ action: "put", key: "new", value: "seen by all" });
  assertEquals((await ask({ action: "search", value: "seen", limit: 1 }, other))["total"], 1);
  assertEquals((await ask({ action: "search", value: "new" }, other))["result"], "seen by all");
});
