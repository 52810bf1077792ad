// Keeps what is published in a file, says so when the disk has it, and replays it from any number.
// deno run --allow-net --allow-read --allow-write docs/tutorial/09_log_server.ts FILE [HOST] [PORT]
import { encode, MessageStream } from "./05_message.ts";

const [path = "log.frames", hostname = "127.0.0.1", port = "5638"] = Deno.args;
const file = await Deno.open(path, { create: true, read: true, write: true });

/** Where each message ends in the file; message N lies between `ends[N - 1]` and `ends[N]`. */
const ends = [0];

// What a crash left: whole messages, and perhaps half of one, which nobody was told is kept.
const kept = new MessageStream(file);
try {
  while (await kept.read()) ends.push(await file.seek(0, Deno.SeekMode.Current));
} catch { /* The half of one. */ }
await file.truncate(ends.at(-1)!);
await file.seek(0, Deno.SeekMode.End);

let grown = Promise.withResolvers<void>();
let waiting: { bytes: Uint8Array; keptAs: (seq: number) => void }[] = [];
let isCommitting = false;

/** Resolves to the message's number when it would survive a power cut. */
function keep(bytes: Uint8Array): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  waiting.push({ bytes, keptAs: resolve });
  if (!isCommitting) void commit();
  return promise;
}

/** A disk takes as long for one message as for a thousand: all that came meanwhile go together. */
async function commit(): Promise<void> {
  isCommitting = true;
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    for (const { bytes } of batch) {
      for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
    }
    await file.syncData();
    for (const { bytes, keptAs } of batch) {
      ends.push(ends.at(-1)! + bytes.length);
      keptAs(ends.length - 1);
    }
    grown.resolve();
    grown = Promise.withResolvers();
  }
  isCommitting = false;
}

/** At the reader's own pace: what it has not taken lies in the file, and in nobody's memory. */
async function replay(conn: Deno.Conn, from: number): Promise<void> {
  using reader = await Deno.open(path);
  await reader.seek(ends[from - 1] ?? ends.at(-1)!, Deno.SeekMode.Start);
  for (let seq = from;; seq++) {
    while (seq >= ends.length) await grown.promise;
    const bytes = new Uint8Array(ends[seq]! - ends[seq - 1]!);
    for (let done = 0; done < bytes.length;) done += (await reader.read(bytes.subarray(done)))!;
    for (let done = 0; done < bytes.length;) done += await conn.write(bytes.subarray(done));
  }
}

async function serve(conn: Deno.Conn): Promise<void> {
  using _ = conn;
  const stream = new MessageStream(conn);
  for (let message = await stream.read(); message; message = await stream.read()) {
    const { op, from } = message.header;
    if (op === "replay") return await replay(conn, Math.max(1, Number(from)));
    const value = JSON.parse(new TextDecoder().decode(message.content));
    await stream.write({ op: "kept", seq: await keep(encode({ op: "pub" }, value)) }, null);
  }
}

const listener = Deno.listen({ hostname, port: Number(port) });
console.log(`${ends.length - 1} messages kept, listening on ${hostname}:${port}`);
for await (const conn of listener) serve(conn).catch((error) => console.log(error.message));
