import { assertEquals, assertThrows } from "@std/assert";
import { UsageError } from "../../../cmd/_cli/mod.ts";
import { meantFilter } from "../../../cmd/_pubsub/meant_filter.ts";
import { parseFormat } from "../../../cmd/_pubsub/message_format.ts";
import { parseHeaderFields } from "../../../cmd/_pubsub/header_fields.ts";
import { connectBroker } from "../../../lib/pubsub/mod.ts";
import { startBroker } from "../../pubsub/support.ts";

Deno.test("a format shows fields of a message, and braces and escapes as they are meant", async () => {
  await using broker = await startBroker();
  await using client = await connectBroker(broker.address);
  const subscription = await client.subscribe("a.b");
  const fields = { n: 5, who: "me", list: [1] };
  await client.publish("a.b", "hi", { replyTo: "r", contentType: "x/y", fields });
  const message = (await subscription.next()).value!;
  const time = new Date("2026-01-02T03:04:05.678Z");
  const shown = (format: string) => parseFormat(format)(message, time, (text) => text);
  assertEquals(
    shown("{time} {topic}: {text}|{base64}|{size}|{type}|{reply-to}|{group}|{retained}"),
    "2026-01-02T03:04:05.678Z a.b: hi|aGk=|2|x/y|r||false",
  );
  assertEquals(shown("{header.n} {header.who} {header.list} <{header.none}>"), "5 me [1] <>");
  assertEquals(shown("a\\tb\\nc\\\\t {{topic}} \\x"), "a\tb\nc\\t {topic} \\x");
  const escaped = parseFormat("{text}\\t{header.who}")(message, time, (text) => `<${text}>`);
  assertEquals(escaped, "<hi>\t<me>");
});

Deno.test("a format that is wrong is refused", () => {
  for (
    const [format, message] of [
      ["{topics}", "there is no field {topics} (did you mean topic?)"],
      ["{topic", "{topic is not closed"],
      ["a } b", "write }} for a single }"],
      ["{}", "there is no field {}"],
      ["{toString}", "there is no field {toString}"],
    ] as const
  ) assertThrows(() => parseFormat(format), UsageError, message);
});

Deno.test("a filter as in MQTT has one that is meant", () => {
  assertEquals(
    ["sensors/#", "a/+/c", "a.#", "+", "#", "a/b", "a.*", "a.>", "c#", "a.b+"].map(meantFilter),
    ["sensors.>", "a.*.c", "a.>", "*", ">", ...Array<undefined>(5).fill(undefined)],
  );
});

Deno.test("header fields are NAME=VALUE, each once, and none that is set otherwise", () => {
  assertEquals(parseHeaderFields(["a=1", "b==x=", "c="]), { a: "1", b: "=x=", c: "" });
  assertEquals(Object.keys(parseHeaderFields(["__proto__=x"])), ["__proto__"]);
  for (
    const [text, message] of [
      ["a", "cannot read a as NAME=VALUE"],
      ["=x", "cannot read =x"],
      ["op=sub", "op: it is always pub"],
      ["reply-to=x", "reply-to: use --reply-to"],
    ] as const
  ) assertThrows(() => parseHeaderFields([text]), UsageError, message);
  assertThrows(() => parseHeaderFields(["a=1", "a=2"]), UsageError, "a: it is given twice");
});
