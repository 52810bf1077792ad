/**
 * Requests that one of several workers answers: they share a group, and a worker that leaves is not
 * missed.
 * Prints:
 *
 * 12 answers: a 4, b 4, c 4
 * 12 answers: b 6, c 6
 * without workers: no-receivers
 */
import {
  type BrokerClient,
  connectBroker,
  PubSubError,
  serveBroker,
} from "@socktool/socktool/pubsub";

await using broker = await serveBroker("127.0.0.1:0");
await using client = await connectBroker(broker.address);

async function startWorker(name: string): Promise<BrokerClient> {
  const worker = await connectBroker(broker.address, { name });
  await worker.subscribe("squares", {
    group: "workers",
    onMessage: (message) => message.respond(`${name} ${Number(message.text()) ** 2}`),
  });
  return worker;
}

async function askTwelve(): Promise<string> {
  const numbers = Array.from({ length: 12 }, (_, i) => i);
  const replies = await Promise.all(numbers.map((n) => client.request("squares", String(n))));
  const counts = new Map<string, number>();
  for (const [n, reply] of replies.entries()) {
    const [name, square] = reply.text().split(" ");
    if (Number(square) !== n * n) throw new Error(`${n} squared is not ${square}`);
    counts.set(name!, (counts.get(name!) ?? 0) + 1);
  }
  const shares = [...counts].sort().map((share) => share.join(" "));
  return `${replies.length} answers: ${shares.join(", ")}`;
}

const workers = [await startWorker("a"), await startWorker("b"), await startWorker("c")];
console.log(await askTwelve());
await workers[0]!.drain(); // answers what it has, then leaves
console.log(await askTwelve());
await Promise.all(workers.slice(1).map((worker) => worker.drain()));
const failure = await client.request("squares", "3").catch((error: unknown) => error);
if (failure instanceof PubSubError) console.log(`without workers: ${failure.code}`);
