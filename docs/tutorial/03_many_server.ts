// Echo for any number of clients at once.
// deno run --allow-net docs/tutorial/03_many_server.ts [HOST] [PORT]

const [hostname = "127.0.0.1", port = "5634"] = Deno.args;
const listener = Deno.listen({ hostname, port: Number(port) });
console.log(`listening on ${hostname}:${port}`);

let clients = 0;
while (true) {
  let conn: Deno.Conn;
  try {
    conn = await listener.accept();
  } catch (error) {
    // One peer that is gone already, or no descriptor left: no reason to end for all the others.
    console.error(`accept: ${error}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    continue;
  }
  // Not awaited: the next accept goes on while this client is served.
  void serve(conn, ++clients);
}

async function serve(conn: Deno.Conn, id: number): Promise<void> {
  console.log(`client ${id} has come`);
  let total = 0;
  try {
    const buffer = new Uint8Array(16_384);
    for (let count = await conn.read(buffer); count !== null; count = await conn.read(buffer)) {
      for (let done = 0; done < count;) done += await conn.write(buffer.subarray(done, count));
      total += count;
    }
    console.log(`client ${id} has ended after ${total} bytes`);
  } catch (error) {
    // A reset concerns this client. Uncaught, it would be an unhandled rejection: the process ends.
    console.log(`client ${id} is lost after ${total} bytes: ${(error as Error).name}`);
  } finally {
    conn.close();
  }
}
