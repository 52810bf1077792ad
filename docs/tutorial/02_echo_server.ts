// Sends one client its own bytes back, then ends.
// deno run --allow-net docs/tutorial/02_echo_server.ts [HOST] [PORT]

const [hostname = "127.0.0.1", port = "5634"] = Deno.args;
using listener = Deno.listen({ hostname, port: Number(port) });
console.log(`listening on ${hostname}:${port}`);

using conn = await listener.accept();
console.log("connected");
const buffer = new Uint8Array(1024);
for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
  console.log(`read ${count} bytes`);
  await writeAll(conn, buffer.subarray(0, count));
}
console.log("the client has ended");

/** `write` may take a part only: the rest is ours to send. */
async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}
