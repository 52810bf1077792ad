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

/** Who attacks servers, from a process of its own: that does not count as their work. */
export class Attacker implements AsyncDisposable {
  readonly #program = new Program(script("tests/beside/attack_app_server.ts"), { stdin: "" });
  #attacks = 0;

  /** Attacks a server, `size` times as long as the attack's name says. */
  async attack({ address }: ServerProgram, name: string, size = 1): Promise<void> {
    const { port } = address as TcpAddress;
    await this.#program.type(`${JSON.stringify([port, name, size])}\n`);
    await this.#program.printed("done\n".repeat(++this.#attacks), "out");
    assertEquals(this.#program.err, "");
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}
