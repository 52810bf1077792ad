/** The client of requests: many at once, a large content, and a failure that the server tells of. */
export default async function run({ duplexOf, RequestClient, RequestError }, streams) {
  const client = new RequestClient(duplexOf(streams));
  const words = Array.from({ length: 100 }, (_, i) => `word ${i}`);
  const replies = await Promise.all(words.map((content) => client.request({ content })));
  const texts = replies.map((reply) => reply.text());
  if (texts.join() !== words.join().toUpperCase()) throw new Error(texts.join());
  const large = await client.request({ content: "x".repeat(1_000_000) });
  if (large.text() !== "X".repeat(1_000_000)) throw new Error("1 MB came back otherwise");
  const error = await client.request({ content: "fail" }).catch((error) => error);
  if (!(error instanceof RequestError)) throw new Error(`no RequestError, but ${error}`);
  await client.close();
}
