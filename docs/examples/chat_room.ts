/**
 * A chat room: everybody hears everybody else, and who is cut off is missed.
 * Prints:
 *
 * ann hears bob: hello
 * bob hears ann: hello, bob
 * ann hears that bob is gone
 */
import { dial } from "@socktool/socktool/net";
import { type BrokerClient, connectBroker, serveBroker } from "@socktool/socktool/pubsub";

await using broker = await serveBroker("127.0.0.1:0");

/** What is heard in the room, one after the other. */
const heard = new TransformStream<string, string>();
const writer = heard.writable.getWriter();
const lines = heard.readable.values();
const nextLine = async () => (await lines.next()).value;

/** Joins the room. A connection that ends without a goodbye leaves a last word to the others. */
async function join(name: string, conn: Deno.Conn): Promise<BrokerClient> {
  const client = await connectBroker(conn, {
    will: { topic: "room.gone", content: name },
    onState: () => {}, // one of them is cut off on purpose below
  });
  await client.subscribe("room.say", {
    noLocal: true,
    onMessage: (message) => writer.write(`${name} hears ${message.text()}`),
  });
  await client.subscribe("room.gone", {
    onMessage: (message) => writer.write(`${name} hears that ${message.text()} is gone`),
  });
  return client;
}

await using ann = await join("ann", await dial(broker.address));
const bobsSocket = await dial(broker.address);
await using bob = await join("bob", bobsSocket);

await bob.publish("room.say", "bob: hello");
console.log(await nextLine());
await ann.publish("room.say", "ann: hello, bob");
console.log(await nextLine());
bobsSocket.close(); // his train has entered a tunnel
console.log(await nextLine());
