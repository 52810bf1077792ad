// Three ways to find the messages in a stream of bytes, and the same bytes cut at every place.
// deno run docs/tutorial/04_framing.ts

/** Takes whole messages off the front of the bytes. @returns them, and how many bytes they took. */
type Split = (bytes: Uint8Array) => { messages: string[]; used: number };

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const bytesOf = (string: string) => new TextEncoder().encode(string);

/** Every message has 8 bytes, padded with spaces. */
const fixed: Split = (bytes) => {
  const messages = [];
  let used = 0;
  for (; bytes.length - used >= 8; used += 8) {
    messages.push(text(bytes.subarray(used, used + 8)).trimEnd());
  }
  return { messages, used };
};

/** Every message ends with a newline, and has none inside. */
const lines: Split = (bytes) => {
  const messages = [];
  let used = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, used)) {
    messages.push(text(bytes.subarray(used, end)));
    used = end + 1;
  }
  return { messages, used };
};

/** Before every message stand two bytes: how long it is, the large end of the number first. */
const prefixed: Split = (bytes) => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const messages = [];
  let used = 0;
  while (bytes.length - used >= 2) {
    const end = used + 2 + view.getUint16(used);
    if (end > bytes.length) break; // the rest is still on its way
    messages.push(text(bytes.subarray(used + 2, end)));
    used = end;
  }
  return { messages, used };
};

const ways: [string, Split, string][] = [
  ["fixed size", fixed, "red     green   blue    "],
  ["lines", lines, "red\ngreen\nblue\n"],
  ["length first", prefixed, "\0\x03red\0\x05green\0\x04blue"],
];
for (const [name, split, stream] of ways) {
  const bytes = bytesOf(stream);
  let right = 0;
  for (let cut = 0; cut <= bytes.length; cut++) {
    // A reader keeps what it could not use, and puts the next bytes behind it.
    const first = split(bytes.subarray(0, cut));
    const second = split(bytes.subarray(first.used));
    if ([...first.messages, ...second.messages].join() === "red,green,blue") right++;
  }
  console.log(`${name}: ${bytes.length} bytes, right at ${right} of ${bytes.length + 1} cuts`);
}

const number = new DataView(new ArrayBuffer(4));
number.setUint32(0, 5634);
const inHex = (view: DataView) =>
  [...new Uint8Array(view.buffer)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
console.log(`5634, big end first: ${inHex(number)}`);
number.setUint32(0, 5634, true);
console.log(`5634, little end first: ${inHex(number)}, read as the other: ${number.getUint32(0)}`);
