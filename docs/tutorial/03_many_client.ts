// Two messages on each of many connections, all at once.
// deno run --allow-net docs/tutorial/03_many_client.ts HOST PORT [CONNECTIONS]

const [hostname = "127.0.0.1", port = "5634", connections = "3"] = Deno.args;
const messages = ["hello message 1 from client.", "hi message 2 from client."];

async function talk(id: number): Promise<string> {
  using conn = await Deno.connect({ hostname, port: Number(port) });
  const buffer = new Uint8Array(1024);
  for (const message of messages) {
    const bytes = new TextEncoder().encode(message);
    for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
    let echo = "";
    while (echo.length < message.length) {
      const count = await conn.read(buffer);
      if (count === null) throw new Error(`connection ${id}: the server ended`);
      echo += new TextDecoder().decode(buffer.subarray(0, count));
    }
    if (echo !== message) throw new Error(`connection ${id}: ${echo} instead of ${message}`);
  }
  return `connection ${id}: both messages came back`;
}

const ids = Array.from({ length: Number(connections) }, (_, i) => i + 1);
for (const line of await Promise.all(ids.map(talk))) console.log(line);
