/** Makes 500 requests of 1 MiB at one time, and tells how much memory that took. */
import { connectRequests } from "../../lib/request/mod.ts";

const content = new Uint8Array(1_048_576).fill(120);
await using client = await connectRequests(`127.0.0.1:${Deno.args[0]}`);
await client.request(content);
const before = Deno.memoryUsage().rss;
let most = before;
const look = () => most = Math.max(most, Deno.memoryUsage().rss);
const calls = Array.from({ length: 500 }, () => client.request(content).then(look));
look();
const { length } = await Promise.all(calls);
const figures = { answers: length, requestBytes: content.length, grownBytes: most - before };
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(figures)));
