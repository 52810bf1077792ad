/**
 * Holds connections to an address: `many_clients.ts HOST PORT COUNT`. Prints `listening on ` and
 * the address, as programs under test do, once all are open; ends when its stdin does.
 */
const [hostname, port, count] = Deno.args as [string, string, string];
const conns: Deno.Conn[] = [];
while (conns.length < Number(count)) {
  const batch = Math.min(200, Number(count) - conns.length);
  conns.push(
    ...await Promise.all(
      Array.from({ length: batch }, () => Deno.connect({ hostname, port: Number(port) })),
    ),
  );
}
await Deno.stderr.write(new TextEncoder().encode(`listening on ${hostname}:${port}\n`));
await Deno.stdin.read(new Uint8Array(1));
for (const conn of conns) conn.close();
