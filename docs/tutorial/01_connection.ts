// Both ends of one connection in one program, and every call in the life of a socket.
// deno run --allow-net docs/tutorial/01_connection.ts [PORT]

const hostname = "127.0.0.1";
const where = ({ hostname, port }: Deno.NetAddr) => `${hostname}:${port}`;

// socket, bind and listen: the kernel completes connections to this address from here on.
const listener = Deno.listen({ hostname, port: Number(Deno.args[0] ?? 0) });
const address = listener.addr as Deno.NetAddr;
console.log(`listening on ${where(address)}`);

// socket and connect. Nobody has called accept yet: the kernel answers for the program.
const client = await Deno.connect({ hostname, port: address.port });
console.log(`client: I am ${where(client.localAddr)}, my peer is ${where(client.remoteAddr)}`);

// accept takes a connection out of the kernel's queue: a socket of its own, beside the listener's.
const server = await listener.accept();
console.log(`server: my peer is ${where(server.remoteAddr as Deno.NetAddr)}`);

// send and recv. A write is done when the kernel has the bytes, not when the peer has read them.
const written = await client.write(new TextEncoder().encode("hello, universe"));
console.log(`client: wrote ${written} bytes`);
const buffer = new Uint8Array(1024);
const count = await server.read(buffer);
console.log(`server: read ${count} bytes: ${new TextDecoder().decode(buffer.subarray(0, count!))}`);

// shutdown(SHUT_WR): the client will send no more, and can still read.
await client.closeWrite();
console.log(`server: read ${await server.read(buffer)}, the client has ended`);
await server.write(new TextEncoder().encode("bye"));
const last = await client.read(buffer);
console.log(`client: read ${last} bytes after its own end`);

// close, for each of the three sockets.
server.close();
client.close();
listener.close();
