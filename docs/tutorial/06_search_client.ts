// Sends a search for each word, without waiting in between, and prints the answers.
// deno run --allow-net docs/tutorial/06_search_client.ts HOST PORT WORD…
import { MessageStream } from "./05_message.ts";

const [hostname = "127.0.0.1", port = "5635", ...words] = Deno.args;
using conn = await Deno.connect({ hostname, port: Number(port) });
const stream = new MessageStream(conn);

// Answers come in the order of the requests, so they need no numbers.
const sending = (async () => {
  for (const value of words) await stream.write({}, { action: "search", value });
})();
for (const word of words) {
  const message = await stream.read();
  if (message === null) throw new Error("the server has ended");
  const { result, error } = JSON.parse(new TextDecoder().decode(message.content));
  console.log(`${word}: ${result ?? `error: ${error.message}`}`);
}
await sending;
