/**
 * The same clients on Node.js and Bun, where `npm install` has put the package: over a socket of
 * Node's own for an app server and a broker that run anywhere. Run it beside these two:
 *
 *     socktool app-server 127.0.0.1:5634
 *     socktool broker 127.0.0.1:5635
 *     node on_node.mjs 5634 5635
 *
 * Prints:
 *
 * morpheus: Follow the white rabbit. 🐰
 * orders.new: two crates
 */
import { connect } from "node:net";
import { argv } from "node:process";
import { Duplex } from "node:stream";
import { jsonFrame } from "@socktool/socktool/frame";
import { connectBroker, duplexOf } from "@socktool/socktool/pubsub/client";
import { RequestClient } from "@socktool/socktool/request/client";

const [requestPort, brokerPort] = argv.slice(2).map(Number);

/** A connection, as the clients take one. */
const open = (port) => duplexOf(Duplex.toWeb(connect({ host: "127.0.0.1", port })));

const requests = new RequestClient(open(requestPort));
const reply = await requests.request(jsonFrame({ action: "search", value: "morpheus" }));
console.log(`morpheus: ${reply.json().result}`);
await requests.close();

// A function, not a connection: the client connects again by itself where one is lost.
const client = await connectBroker(() => open(brokerPort));
const orders = await client.subscribe("orders.>");
await client.publish("orders.new", "two crates");
for await (const message of orders) {
  console.log(`${message.topic}: ${message.text()}`);
  break;
}
await client.close();
