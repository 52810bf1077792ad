/** An app server that is asked for much work, and a client of it that asks for little. */
import { assertEquals } from "@std/assert";
import { jsonFrame } from "../../lib/frame/mod.ts";
import type { Address, TcpAddress } from "../../lib/net/mod.ts";
import { RawClient } from "../support/peers.ts";
import { Program, script, type ServerProgram } from "../support/programs.ts";
import type { Scratch } from "../support/scratch.ts";

/** The arguments of a server that has data in which there is much to ask for. */
export function serverArgs(scratch: Scratch): string[] {
  const record = (key: string, title: string, text: string) => JSON.stringify({ key, title, text });
  const data = scratch.write(
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
  return ["--data", data, "--writable", "--max-content", "32MiB"];
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

/** What a healthy client asks for: a lookup, a search and a change at once. */
const REQUESTS = [
  { action: "search", value: "k7" },
  { action: "search", value: "small word77" },
  { action: "put", key: "mine", value: "small" },
];

/** A healthy client; gives what makes its requests. */
export async function neighbour(
  { address }: ServerProgram,
  stack: DisposableStack,
  requests: readonly Record<string, unknown>[] = REQUESTS,
): Promise<() => Promise<void>> {
  const askers = await Promise.all(requests.map((request) => asker(address, request)));
  for (const each of askers) stack.use(each);
  return async () => void await Promise.all(askers.map((each) => each.ask()));
}

/** Attacks a server from a process of its own, `size` times as long as the attack's name says. */
export async function attackAppServer(
  { address }: ServerProgram,
  name: string,
  size = 1,
): Promise<void> {
  const { port } = address as TcpAddress;
  const args = [String(port), name, String(size)];
  await using attacker = new Program(script("tests/beside/attack_app_server.ts", ...args));
  assertEquals(await attacker.finished(), { code: 0, out: "", err: "" });
}
