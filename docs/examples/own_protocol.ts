/**
 * A protocol of your own with binary content: measurements go in as numbers, statistics come out.
 * Prints:
 *
 * 4 values: mean 2.5, from 1 to 4
 * refused with bad-request: there is nothing to average
 */
import { connectRequests, NumberWriter, RequestError, serveRequests } from "@socktool/socktool";

await using server = await serveRequests("127.0.0.1:0", (request) => {
  const values = request.reader();
  if (values.remaining === 0) throw new RequestError("bad-request", "there is nothing to average");
  let [count, sum, least, most] = [0, 0, Infinity, -Infinity];
  for (; values.remaining > 0; count++) {
    const value = values.float64();
    sum += value;
    least = Math.min(least, value);
    most = Math.max(most, value);
  }
  const answer = new NumberWriter().uint32(count).float64(sum / count).float64(least).float64(most);
  return { header: { byteorder: answer.byteorder, unit: "celsius" }, content: answer.bytes };
});

await using client = await connectRequests(server.address);

async function statistics(...values: readonly number[]): Promise<string> {
  const writer = new NumberWriter();
  for (const value of values) writer.float64(value);
  const header = { byteorder: writer.byteorder };
  const reply = (await client.request({ header, content: writer.bytes })).reader();
  const [count, mean, least, most] = [
    reply.uint32(),
    reply.float64(),
    reply.float64(),
    reply.float64(),
  ];
  return `${count} values: mean ${mean}, from ${least} to ${most}`;
}

console.log(await statistics(1, 2, 3, 4));
try {
  await statistics();
} catch (error) {
  if (!(error instanceof RequestError)) throw error;
  console.log(`refused with ${error.code}: ${error.message}`);
}
