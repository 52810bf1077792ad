// Publishes its texts, each when the one before is kept; or reads messages from a number on.
// deno run --allow-net docs/tutorial/09_log_client.ts HOST PORT pub TEXT… | read FROM COUNT
import { MessageStream } from "./05_message.ts";

const [hostname = "127.0.0.1", port = "5638", role = "read", ...rest] = Deno.args;
if (!/^(pub|read)$/.test(role)) throw new Error(`write pub or read, not ${role}`);
using conn = await Deno.connect({ hostname, port: Number(port) });
const stream = new MessageStream(conn);

async function next() {
  const message = await stream.read();
  if (message === null) throw new Error("the server has ended");
  return { header: message.header, value: JSON.parse(new TextDecoder().decode(message.content)) };
}

if (role === "pub") {
  for (const text of rest) {
    await stream.write({ op: "pub" }, text);
    console.log(`${text}: kept as ${(await next()).header["seq"]}`);
  }
} else {
  const [from = "1", count = "1"] = rest;
  await stream.write({ op: "replay", from: Number(from) }, null);
  for (let i = 0; i < Number(count); i++) {
    console.log(`${Number(from) + i}: ${(await next()).value}`);
  }
}
