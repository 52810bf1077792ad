// Answers searches in three entries: requests and answers are messages.
// deno run --allow-net docs/tutorial/06_search_server.ts [HOST] [PORT]
import { type Message, MessageStream } from "./05_message.ts";

const entries: Record<string, string> = {
  morpheus: "Follow the white rabbit.",
  ring: "In the caves beneath the Misty Mountains.",
  dog: "Good boy.",
};

/** What a request is answered with. It knows no socket: a test calls it as it is. */
export function answer({ header, content }: Message): unknown {
  if (header["content-type"] !== "text/json") {
    throw new TypeError(`cannot read ${header["content-type"]}`);
  }
  const request = JSON.parse(new TextDecoder().decode(content)) as Record<string, unknown>;
  if (request?.["action"] !== "search") throw new TypeError(`the only action is "search"`);
  const value = String(request["value"]);
  return { result: Object.hasOwn(entries, value) ? entries[value] : `No match for '${value}'.` };
}

/** The states of a connection: between messages → in one → answering → between messages → ended. */
async function serve(conn: Deno.Conn): Promise<void> {
  using _ = conn;
  const stream = new MessageStream(conn, 65_536);
  for (let message = await stream.read(); message; message = await stream.read()) {
    let reply: unknown;
    try {
      reply = answer(message);
    } catch (error) {
      // The request is wrong, but where it ends is known: the next one can be read.
      reply = { error: { code: "bad-request", message: (error as Error).message } };
    }
    await stream.write({}, reply);
  }
}

if (import.meta.main) {
  const [hostname = "127.0.0.1", port = "5635"] = Deno.args;
  const listener = Deno.listen({ hostname, port: Number(port) });
  console.log(`listening on ${hostname}:${port}`);
  for await (const conn of listener) {
    // Where a message cannot be read, nobody knows where the next one begins: the connection ends.
    serve(conn).catch((error) => console.log(`a client is let go: ${error.message}`));
  }
}
