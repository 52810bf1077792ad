// Sends its arguments to an echo server, a write for each, and reads until all of it came back.
// deno run --allow-net docs/tutorial/02_echo_client.ts HOST PORT [TEXT…]

const [hostname = "127.0.0.1", port = "5634", ...texts] = Deno.args;
const parts = texts.length > 0 ? texts : ["hello, universe.\n", "Hi, friend."];
using conn = await Deno.connect({ hostname, port: Number(port) });

let sent = 0;
for (const part of parts) {
  const bytes = new TextEncoder().encode(part);
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
  sent += bytes.length;
}

// One read is not one write, and not all of them: it is what has come, one byte or more.
const buffer = new Uint8Array(1024);
const decoder = new TextDecoder();
let echo = "";
for (let received = 0; received < sent;) {
  const count = await conn.read(buffer);
  if (count === null) throw new Error(`the server ended after ${received} of ${sent} bytes`);
  received += count;
  // A character may lie in two reads: the decoder keeps its first bytes until the others come.
  echo += decoder.decode(buffer.subarray(0, count), { stream: true });
}
console.log(echo);
