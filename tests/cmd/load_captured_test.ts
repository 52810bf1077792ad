import { assertEquals, assertMatch } from "@std/assert";
import { openRecorder } from "../../lib/capture/mod.ts";
import { encodeFrame, jsonFrame } from "../../lib/frame/mod.ts";
import { formatAddress, parseAddress } from "../../lib/net/mod.ts";
import { serveRequests } from "../../lib/request/mod.ts";
import { socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";

Deno.test("load takes requests from a recording: in their order, as they were, without the hello", async () => {
  using scratch = new Scratch();
  const path = scratch.at("r.pcapng");
  const values = ["ä", "{seq} {random:3}", "x".repeat(100_000), '"{conn}"'];
  {
    using recorder = openRecorder({ path });
    const connection = recorder.open(parseAddress("127.0.0.1:50000"), parseAddress("127.0.0.1:1"));
    connection.bytes("up", encodeFrame(jsonFrame({ action: "hello", token: "s3cret" })));
    connection.bytes("down", encodeFrame(jsonFrame({ result: "" })));
    connection.bytes("up", encodeFrame({ content: new Uint8Array(10) }));
    for (const value of values) {
      connection.bytes("up", encodeFrame(jsonFrame({ action: "ask", value })));
      connection.bytes("down", encodeFrame(jsonFrame({ result: "recorded" })));
    }
  }
  const asked: unknown[] = [];
  await using server = await serveRequests("127.0.0.1:0", (request) => {
    asked.push(request.json());
    return jsonFrame({ result: "yes" });
  });
  const to = formatAddress(server.address);
  const load = (file: string) =>
    socktool(["load", to, "1", "--protocol", "frames", "--requests", file, "--count", "8"]);
  const { code, err } = await load(path);
  assertEquals(code, 0, err);
  assertMatch(err, /1 request left out that are no whole text\/json/);
  const expected = values.map((value) => ({ action: "ask", value }));
  assertEquals(asked, [...expected, ...expected]);
  const empty = scratch.at("empty.pcapng");
  openRecorder({ path: empty }).close();
  const refused = await load(empty);
  assertEquals(refused.code, 2);
  assertMatch(refused.err, /^error: --requests: .* has no request of text\/json in it$/m);
});
