/** The codec: a request out, its answer in, by the streams alone. */
export default async function run({ encodeFrame, jsonFrame, readMessages }, streams) {
  const writer = streams.writable.getWriter();
  const messages = readMessages(streams.readable).getReader();
  await writer.write(encodeFrame({ content: "hello" }));
  await writer.write(encodeFrame(jsonFrame({ of: "JSON" })));
  for (const expected of ["HELLO", '{"OF":"JSON"}']) {
    const { value } = await messages.read();
    const text = await value.text();
    if (text !== expected) throw new Error(`not ${expected}, but ${text}`);
  }
}
