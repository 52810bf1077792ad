/**
 * An upload of 1 GiB as the content of one request: it is read as it comes, and never in memory as a
 * whole. The first argument is another size in MiB.
 * Prints:
 *
 * the server took 1024 MiB, the right bytes, in memory of less than 128 MiB
 */
import {
  ByteBuffer,
  encodeFrame,
  jsonFrame,
  readMessages,
  writeFrameHead,
} from "@socktool/socktool/frame";
import { byteStream, dial, listen } from "@socktool/socktool/net";

const MIB = 1_048_576;
const size = Number(Deno.args[0] ?? 1024);

const listener = await listen("127.0.0.1:0");
const serving = (async () => {
  using conn = await listener.accept();
  for await (const message of readMessages(byteStream(conn))) {
    let [bytes, sum] = [0, 0];
    for await (const chunk of message.content) {
      bytes += chunk.length;
      sum += chunk[0]! + chunk.at(-1)!;
    }
    await conn.write(encodeFrame(jsonFrame({ bytes, isRight: sum % 7 === 0 })));
  }
})();

const before = Deno.memoryUsage().rss;
let most = before;
{
  using conn = await dial(listener.address);
  const head = new ByteBuffer();
  writeFrameHead(head, { name: "backup.tar" }, size * MIB);
  await writeAll(conn, head.view());
  const chunk = new Uint8Array(MIB).fill(7);
  for (let i = 0; i < size; i++) {
    await writeAll(conn, chunk);
    most = Math.max(most, Deno.memoryUsage().rss);
  }
  for await (const reply of readMessages(byteStream(conn))) {
    const { bytes, isRight } = await reply.json() as { bytes: number; isRight: boolean };
    const right = isRight ? "the right bytes" : "wrong bytes";
    const memory = most - before < 128 * MIB ? "less than 128 MiB" : `${(most - before) / MIB} MiB`;
    console.log(`the server took ${bytes / MIB} MiB, ${right}, in memory of ${memory}`);
    break;
  }
}
listener.close();
await serving;

async function writeAll(conn: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
}
