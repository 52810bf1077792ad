/** Whatever one client asks an app server for, the others are answered meanwhile. */
import { assertEquals } from "@std/assert";
import type { Address, TcpAddress } from "../../lib/net/mod.ts";
import { latenciesBeside } from "../support/neighbour.ts";
import { RawClient } from "../support/peers.ts";
import { Program, script, type ServerProgram, startAppServer } from "../support/programs.ts";
import { jsonFrame } from "../../lib/frame/mod.ts";
import { Scratch } from "../support/scratch.ts";
import { ATTACKS } from "./attack_app_server.ts";

/** Data in which there is much to ask for. */
function data(scratch: Scratch): string {
  const record = (key: string, title: string, text: string) => JSON.stringify({ key, title, text });
  return scratch.write(
    "data.jsonl",
    [
      record("large", "Large", "lorem ipsum ".repeat(4 * 1024 * 1024 / 12 - 10)),
      ...Array.from(
        { length: 120 },
        (_, i) =>
          record(`medium${i}`, `${"t".repeat(20_000)} ${i}`, `findme ${"word ".repeat(12_000)}`),
      ),
      ...Array.from({ length: 2000 }, (_, i) => record(`k${i}`, `Title ${i}`, `small word${i}`)),
    ].join("\n"),
  );
}

/** A client that makes one kind of request. */
async function asker(address: Address, request: Record<string, unknown>) {
  const client = await RawClient.connect(address);
  const frame = jsonFrame(request);
  return {
    async ask(): Promise<void> {
      await client.send(frame);
      assertEquals((await client.json())["error"], undefined);
    },
    [Symbol.dispose]: () => client.close(),
  };
}

/** Requests of a healthy client: a lookup, a search and a change at once. */
async function neighbour({ address }: ServerProgram, stack: DisposableStack) {
  const requests = [
    { action: "search", value: "k7" },
    { action: "search", value: "small word77" },
    { action: "put", key: "mine", value: "small" },
  ];
  const askers = await Promise.all(requests.map((request) => asker(address, request)));
  for (const each of askers) stack.use(each);
  return async () => void await Promise.all(askers.map((each) => each.ask()));
}

Deno.test("whatever one client asks for, others are answered within 100 ms", async (t) => {
  using scratch = new Scratch();
  const args = ["--data", data(scratch), "--writable", "--max-content", "32MiB"];
  await using server = await startAppServer(args);
  await using other = await startAppServer(args);
  using stack = new DisposableStack();
  const request = await neighbour(server, stack);
  const control = await neighbour(other, stack);
  const { port } = server.address as TcpAddress;
  for (const name of Object.keys(ATTACKS)) {
    const attack = async () => {
      const program = script("tests/beside/attack_app_server.ts", String(port), name);
      await using attacker = new Program(program);
      assertEquals(await attacker.finished(), { code: 0, out: "", err: "" });
    };
    await t.step(name, () => latenciesBeside(request, attack, { everyMs: 2, control }));
  }
});
