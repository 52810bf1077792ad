/** Requests of every kind, and a failure that an answer tells of. */
export default async function run({ duplexOf, RequestClient, RequestError }, streams) {
  const client = new RequestClient(duplexOf(streams));
  const bytes = new TextEncoder().encode("bytes");
  const content = new ReadableStream({
    start(controller) {
      for (const chunk of ["streamed ", "in ", "parts"]) {
        controller.enqueue(new TextEncoder().encode(chunk));
      }
      controller.close();
    },
  });
  const header = { "content-type": "text/plain", "content-encoding": "utf-8" };
  const calls = [
    client.request("text"),
    client.request({ header, content: bytes }),
    client.request({ header: { ...header, "content-length": 17 }, content }),
    client.request("").catch((error) => error),
  ];
  const [text, framed, streamed, failed] = await Promise.all(calls);
  const texts = [text, framed, streamed].map((reply) => reply.text());
  if (texts.join() !== "TEXT,BYTES,STREAMED IN PARTS") throw new Error(`not these: ${texts}`);
  if (!(failed instanceof RequestError) || failed.code !== "empty") throw failed;
  await client.close();
}
