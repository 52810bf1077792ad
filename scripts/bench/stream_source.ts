/** Sends one frame of a large content to everyone who connects: `stream_source.ts PORT BYTES`. */
const [port, bytes] = Deno.args.map(Number) as [number, number];
const header = new TextEncoder().encode(
  `{"byteorder":"little","content-type":"application/octet-stream",` +
    `"content-encoding":"binary","content-length":${bytes}}`,
);
const chunk = new Uint8Array(262_144).fill(7);

async function send(conn: Deno.Conn): Promise<void> {
  const head = new Uint8Array([header.length >> 8, header.length & 0xff, ...header]);
  for (let at = 0; at < head.length;) at += await conn.write(head.subarray(at));
  for (let left = bytes; left > 0;) left -= await conn.write(chunk.subarray(0, left));
  conn.close();
}

for await (const conn of Deno.listen({ hostname: "127.0.0.1", port })) {
  // A probe, or a reader that has enough, closes early.
  send(conn).catch(() => {});
}
