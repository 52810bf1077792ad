import { MAX_HEADER_LINES } from "./nats_message.ts";

const CR = 0x0d, LF = 0x0a, SPACE = 0x20, COLON = 0x3a, LOW_LINE = 0x5f, TILDE = 0x7e;

/**
 * Makes a block of headers one that the official client can read, in its place: it throws where a name
 * has other characters than those of ASCII, or a value a line break, and looks through all headers
 * before each. Anybody who publishes may have written such a block.
 */
export function makeReadable(block: Uint8Array): void {
  let lines = 0;
  let isName = false;
  const last = block.length - 1;
  for (let i = 0; i <= last; i++) {
    const byte = block[i]!;
    if (byte === CR && block[i + 1] === LF && (lines < MAX_HEADER_LINES || i >= last - 3)) {
      lines++;
      isName = true;
      i++;
    } else if (byte === CR || byte === LF) block[i] = isName ? LOW_LINE : SPACE;
    else if (byte === COLON) isName = false;
    else if (isName && (byte <= SPACE || byte > TILDE)) block[i] = LOW_LINE;
  }
}
