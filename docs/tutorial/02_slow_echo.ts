// An echo server that answers byte by byte, so that a client sees what a network may do.
// deno run --allow-net docs/tutorial/02_slow_echo.ts [HOST] [PORT]

const [hostname = "127.0.0.1", port = "5634"] = Deno.args;
using listener = Deno.listen({ hostname, port: Number(port) });
console.log(`listening on ${hostname}:${port}`);

using conn = await listener.accept();
conn.setNoDelay(true); // else the kernel gathers small writes
const buffer = new Uint8Array(1024);
for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
  for (let i = 0; i < count; i++) {
    await conn.write(buffer.subarray(i, i + 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
