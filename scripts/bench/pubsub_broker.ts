/** A broker for benchmarks: `deno run -A scripts/bench/pubsub_broker.ts PORT`. */
import { listen } from "../../lib/net/mod.ts";
import { serveBroker } from "../../lib/pubsub/mod.ts";

const port = Number(Deno.args[0]);
await serveBroker(await listen({ transport: "tcp", hostname: "127.0.0.1", port })).finished;
