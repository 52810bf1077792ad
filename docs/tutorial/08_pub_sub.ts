// Subscribes to a topic, or publishes numbers on it.
// deno run --allow-net docs/tutorial/08_pub_sub.ts HOST PORT sub|slow-sub|pub TOPIC COUNT
import { MessageStream } from "./05_message.ts";

const [hostname = "127.0.0.1", port = "5637", role = "sub", topic = "news", count = "3"] =
  Deno.args;
if (!/^(sub|slow-sub|pub)$/.test(role)) throw new Error(`write sub, slow-sub or pub, not ${role}`);
using conn = await Deno.connect({ hostname, port: Number(port) });
const stream = new MessageStream(conn);
const padding = "x".repeat(1_000);

if (role === "pub") {
  for (let i = 1; i <= Number(count); i++) await stream.write({ op: "pub", topic }, [i, padding]);
  await conn.closeWrite();
  await stream.read(); // until the broker has read it all
} else {
  await stream.write({ op: "sub", topic }, null);
  console.log(`subscribed to ${topic}`);
  // A slow reader: the kernel's buffers fill first, then the broker's queue.
  if (role === "slow-sub") await new Promise((resolve) => setTimeout(resolve, 2_000));
  let [received, missed] = [0, 0];
  while (received + missed < Number(count)) {
    const message = await stream.read();
    if (message === null) throw new Error("the broker has ended");
    if (message.header["op"] === "missed") missed += Number(message.header["count"]);
    else received++;
  }
  console.log(`${received} received + ${missed} missed = ${received + missed}`);
}
