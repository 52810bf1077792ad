/**
 * A service of your own, byte for byte: lines are sent back in capitals. Limits in time, number and
 * memory, turns between clients and draining are the server's.
 * Prints:
 *
 * HELLO
 * TWO LINES AT ONCE
 * ARE TWO LINES
 */
import { type Connection, dial, serveConnections } from "@socktool/socktool/net";

const NEWLINE = 10;

async function serve(connection: Connection): Promise<void> {
  const { input, output } = connection;
  while (await connection.read()) {
    // What was received lies in `input.bytes[start, end)`: take whole lines, leave the rest.
    for (let at = input.start; at < input.end; at++) {
      if (input.bytes[at] !== NEWLINE) continue;
      const line = new TextDecoder().decode(input.bytes.subarray(input.start, at + 1));
      input.consume(at + 1 - input.start);
      output.buffer.append(new TextEncoder().encode(line.toUpperCase()));
    }
    // A line that does not end takes memory: the server may end those that take too long over one.
    connection.midFrame = input.end > input.start;
    output.flush();
    await output.room(); // waits for a client that does not read
  }
  await connection.finish("done", true);
}

await using server = await serveConnections("127.0.0.1:0", { serve }, {
  maxConnections: 1_000,
  idleTimeoutMs: 60_000,
  frameTimeoutMs: 5_000,
});

using conn = await dial(server.address);
for (const part of ["hel", "lo\n", "two lines at once\nare two lines\n"]) {
  await conn.write(new TextEncoder().encode(part));
}
await conn.closeWrite();
const answer = await new Response(conn.readable).text();
console.log(answer.trimEnd());
