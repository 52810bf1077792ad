import { assert, assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import type { NatsMessage } from "../../../../../lib/pubsub/broker/nats/wire/nats_message.ts";
import {
  NatsParser,
  NatsProtocolError,
} from "../../../../../lib/pubsub/broker/nats/wire/nats_parser.ts";
import { HeaderMemo } from "../../../../../lib/pubsub/broker/nats/header_memo.ts";
import { anyCharacter } from "../../../../support/any_character.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A message as a server sends it. */
interface Sent {
  readonly subject: string;
  readonly sid: number;
  readonly reply: string;
  readonly headers: string;
  readonly data: string;
}

const token = fc.stringMatching(/^[a-z☃]{1,8}$/);
const message = fc.record<Sent>({
  subject: fc.array(token, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join(".")),
  sid: fc.integer({ min: 1, max: 99_999 }),
  reply: fc.oneof(fc.constant(""), token),
  headers: fc.oneof(
    fc.constant(""),
    fc.constantFrom("NATS/1.0\r\n\r\n", "NATS/1.0 503\r\n\r\n"),
    token.map((value) => `NATS/1.0\r\nA: ${value}\r\nb:${value}\r\n\r\n`),
  ),
  data: fc.string({ unit: anyCharacter, maxLength: 60 }),
});
/** The same message often comes several times. */
const messages = fc.array(fc.tuple(message, fc.integer({ min: 1, max: 3 })), { maxLength: 6 })
  .map((some) => some.flatMap(([each, times]) => Array<Sent>(times).fill(each)));

function lineOf({ subject, sid, reply, headers, data }: Sent): string {
  const size = encoder.encode(data).length;
  const place = reply === "" ? `${subject} ${sid}` : `${subject} ${sid} ${reply}`;
  const head = encoder.encode(headers).length;
  return headers === ""
    ? `MSG ${place} ${size}\r\n${data}\r\n`
    : `HMSG ${place} ${head} ${head + size}\r\n${headers}${data}\r\n`;
}

/** Reads bytes that come in parts, and writes down what they say. */
function parse(bytes: Uint8Array, partBytes: number): (string | Sent)[] {
  const said: (string | Sent)[] = [];
  const parser = new NatsParser({
    message: ({ subject, sid, reply, bytes, headerStart, dataStart, data }) => {
      const headers = decoder.decode(bytes.subarray(headerStart, dataStart));
      said.push({ subject, sid, reply, headers, data: decoder.decode(data) });
    },
    info: (json) => said.push(`info ${json}`),
    ping: () => said.push("ping"),
    pong: () => said.push("pong"),
    refused: (reason) => said.push(`refused ${reason}`),
  });
  // As in a read buffer: what came before lies behind the end too.
  const memory = new Uint8Array(bytes.length + 10).fill(0x0a);
  let consumed = 0;
  for (let at = 0; at < bytes.length; at += partBytes) {
    memory.set(bytes.subarray(at, at + partBytes), at);
    consumed += parser.parse(memory, consumed, Math.min(bytes.length, at + partBytes));
  }
  assertEquals(consumed, bytes.length);
  return said;
}

Deno.test("NatsParser reads whatever a server sends, cut anywhere", () => {
  const others = "INFO {\"a\":\"☃\"} \r\nPING\r\npong\r\n+OK\r\n-ERR 'It is 'so''\r\n";
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 40 }), (sent, partBytes) => {
      const bytes = encoder.encode(others + sent.map(lineOf).join("") + "PONG\r\n");
      assertEquals(parse(bytes, partBytes), [
        'info {"a":"☃"} ',
        "ping",
        "pong",
        "refused It is 'so'",
        ...sent,
        "pong",
      ]);
    }),
  );
});

Deno.test("NatsParser refuses what is no NATS, and waits for nothing without a bound", () => {
  const refuse = (text: string) =>
    assertThrows(() => parse(encoder.encode(text), text.length), NatsProtocolError, "no NATS");
  const broken = [
    "HTTP/1.1 400 Bad Request\r\n",
    "MSG\r\n",
    "MSG t 1\r\n",
    "MSG t x 1\r\n\r\n",
    "MSG t 1 r r 1\r\n\r\n",
    "MSG t 1 -1\r\n\r\n",
    "MSGS t 1 1\r\n\r\n",
    "HMSG t 1 9 2\r\n\r\n",
    "MSG t 1 2\r\nabc\r\n",
    "MSG t 1 1\nx\r\n",
    "\r\n",
    `INFO ${"x".repeat(2_000_000)}`,
  ];
  for (const text of broken) refuse(text);
  // Whatever comes, it is a message, a NatsProtocolError, or not complete.
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom("", "MSG ", "HMSG t 1 "), (
      bytes,
      start,
    ) => {
      const nothing = () => {};
      const handler = {
        message: nothing,
        info: nothing,
        ping: nothing,
        pong: nothing,
        refused: nothing,
      };
      const whole = new Uint8Array([...encoder.encode(start), ...bytes]);
      try {
        const consumed = new NatsParser(handler).parse(whole, 0, whole.length);
        assert(consumed >= 0 && consumed <= whole.length);
      } catch (error) {
        assert(error instanceof NatsProtocolError, String(error));
      }
    }),
  );
});

Deno.test("HeaderMemo reads headers that it knows as those that it does not", () => {
  const from = "Socktool-From: gateway 7";
  const blocks = [
    `NATS/1.0\r\n${from} 1\r\n\r\n`,
    `NATS/1.0\r\n${from} 2\r\n\r\n`,
    `NATS/1.0\r\n${from} 1234567\r\n\r\n`,
    "NATS/1.0\r\nSocktool-From: gateway 71 5\r\n\r\n",
    `NATS/1.0\r\nContent-Type: text/json\r\nContent-Encoding: utf-8\r\n${from} 3\r\n\r\n`,
    `NATS/1.0\r\nContent-Type: text/json\r\nContent-Encoding: utf-8\r\n${from} 4\r\n\r\n`,
    `NATS/1.0\r\n${from} 5\r\nother: x\r\n\r\n`,
    `NATS/1.0\r\n${from} 6\r\nother: y\r\n\r\n`,
    `NATS/1.0\r\n${from} 5x\r\n\r\n`,
    `NATS/1.0\r\n${from} \r\n\r\n`,
    "NATS/1.0\r\nSocktool-From: gateway 0 1\r\n\r\n",
    "NATS/1.0\r\ntrace: 1\r\n\r\n",
    "NATS/1.0\r\ntrace: 2\r\n\r\n",
    "NATS/1.0\r\n\r\n",
    "NATS/1.0 503\r\n\r\n",
    "NATS/1.0 100 Idle Heartbeat\r\nNats-Last-Consumer: 1\r\n\r\n",
  ];
  const read = (memo: HeaderMemo, block: string) => {
    let said: unknown;
    const handler = {
      message: (message: NatsMessage) => said = structuredClone(memo.read(message)),
      info() {},
      ping() {},
      pong() {},
      refused() {},
    };
    const size = block.length;
    const bytes = encoder.encode(`HMSG t 1 ${size} ${size + 1}\r\n${block}x\r\n`);
    new NatsParser(handler).parse(bytes, 0, bytes.length);
    if (said === undefined) return undefined;
    const { fields, ...origin } = said as { fields: { origin?: unknown } };
    // The origin that it was read from first stands there.
    return { ...origin, fields: { ...fields, origin: fields.origin !== undefined } };
  };
  const index = fc.integer({ min: 0, max: blocks.length - 1 });
  fc.assert(
    fc.property(fc.array(index, { maxLength: 30 }), (order) => {
      const memo = new HeaderMemo();
      for (const i of order) {
        assertEquals(read(memo, blocks[i]!), read(new HeaderMemo(), blocks[i]!), blocks[i]);
      }
    }),
  );
  const { count, gateway, number } = read(new HeaderMemo(), blocks[2]!) as Record<string, unknown>;
  assertEquals([gateway, number, count], ["gateway", 7, 1_234_567]);
});
