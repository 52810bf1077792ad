// Does what clients do that mean harm, or have bad luck.
// deno run --allow-net docs/tutorial/07_rude_client.ts HOST PORT half|drip|garbage|deaf
import { encode } from "./05_message.ts";

const [hostname = "127.0.0.1", port = "5635", how = "half"] = Deno.args;
if (!/^(half|drip|garbage|deaf)$/.test(how)) {
  throw new Error(`write half, drip, garbage or deaf, not ${how}`);
}
using conn = await Deno.connect({ hostname, port: Number(port) });
const request = encode({}, { action: "search", value: "ring" });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const startedAt = performance.now();

const ways: Record<string, () => Promise<unknown>> = {
  // Half a message, and nothing more.
  half: () => conn.write(request.subarray(0, 20)),
  // One byte every 100 ms: a server that limits only silence waits for all of them.
  drip: async () => {
    for (const byte of request) {
      await conn.write(Uint8Array.of(byte));
      await sleep(100);
    }
  },
  // What is no message.
  garbage: () => conn.write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")),
  // Requests without an end, and not one answer read.
  deaf: async () => {
    while (true) await conn.write(request);
  },
};
try {
  await ways[how]!();
  const end = await conn.read(new Uint8Array(1024));
  console.log(
    end === null ? "the server has ended the connection" : `the server sent ${end} bytes`,
  );
} catch (error) {
  console.log(`the server has ended the connection: ${(error as Error).name}`);
}
console.log(`after ${Math.round((performance.now() - startedAt) / 1000)} s`);
