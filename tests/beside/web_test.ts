import { assertEquals } from "@std/assert";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { joinListeners, listen, type TcpAddress } from "../../lib/net/mod.ts";
import { connectRequests, serveRequests } from "../../lib/request/mod.ts";
import { serveWeb } from "../../lib/web/mod.ts";
import { latenciesBeside, ownWork } from "../support/neighbour.ts";
import { Program, script } from "../support/programs.ts";

/** So much of each kind: where others get no turn, p99 is far above 100 ms. */
const SENT_BYTES = 2_500_000;

Deno.test("frames and chunks that bring hardly a byte to anybody delay no other", async () => {
  await using web = await serveWeb("127.0.0.1:0");
  const listener = joinListeners(await listen("127.0.0.1:0"), web.webSockets);
  await using server = serveRequests(listener, (request) => request.text());
  await using client = await connectRequests(server.address);
  const ask = async () => assertEquals((await client.request(jsonFrame({}))).text(), "{}");
  await latenciesBeside(ask, async () => {
    const { port } = web.address as TcpAddress;
    const args = ["tests/beside/flood_web.ts", `${port}`, `${SENT_BYTES}`] as const;
    await using attacker = new Program(script(...args));
    assertEquals(await attacker.finished(), { code: 0, out: "", err: "" });
  }, { everyMs: 2, work: ownWork, tries: 3 });
});
