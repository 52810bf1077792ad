/** The client of publish/subscribe: a publication to itself and a request to itself, by streams. */
export default async function run({ connectBroker, duplexOf }, streams) {
  const client = await connectBroker(duplexOf(streams));
  let arrived;
  const message = new Promise((resolve) => arrived = resolve);
  await client.subscribe("orders.>", { onMessage: (message) => arrived(message) });
  const receivers = await client.publishConfirmed("orders.new", "two crates");
  if (receivers !== 1) throw new Error(`${receivers} receivers`);
  const { topic } = await message;
  const text = (await message).text();
  if (topic !== "orders.new" || text !== "two crates") throw new Error(`${topic}: ${text}`);
  await client.subscribe("math.square", {
    onMessage: (message) => message.respond(String(Number(message.text()) ** 2)),
  });
  const reply = await client.request("math.square", "12", { timeoutMs: 10_000 });
  if (reply.text() !== "144") throw new Error(`12² = ${reply.text()}`);
  await client.close();
}
