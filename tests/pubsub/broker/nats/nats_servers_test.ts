import { assertEquals, assertThrows } from "@std/assert";
import { parseNatsServers } from "../../../../lib/pubsub/broker/nats/nats_servers.ts";

Deno.test("servers of NATS are read with their credentials", () => {
  const user = { user: "gateway", pass: "a,b/c" };
  const rows: [text: string, hosts: string[], credentials?: object][] = [
    ["nats://a", ["a:4222"]],
    ["a:4222, nats://b:1", ["a:4222", "b:1"]],
    ["nats://gateway:a%2Cb%2Fc@a,nats://b", ["a:4222", "b:4222"], user],
    ["a,nats://gateway:a%2Cb%2Fc@b", ["a:4222", "b:4222"], user],
    ["token@a:5", ["a:5"], { token: "token" }],
  ];
  for (const [text, hosts, credentials] of rows) {
    const read = parseNatsServers(text.split(","));
    assertEquals([read.hosts, read.credentials], [hosts, credentials], text);
  }
});

Deno.test("no message about servers of NATS shows a part of a password", () => {
  const texts = [
    "nats://user:SECRET,MORE@b:4222",
    "nats://user:12,34@b:4222,nats://c",
    "user:SECRET,MORE@b",
    "nats://SECRET,MORE@b",
    "nats://user:SEC/RET@b",
    "nats://user:SEC?RET@b",
    "nats://user:SEC#RET@b",
    "nats://user:SEC%RET@b",
    "nats://user:SEC\\RET@b",
    "nats://user:SEC@RET@b:no",
    "nats://user:SECRET@",
    "http://user:SECRET@b",
    "nats:/user:SECRET@b",
    "nats://b?token=SECRET",
    "nats://b/SECRET",
    "nats://b#SECRET",
  ];
  for (const text of texts) {
    const { message } = assertThrows(() => parseNatsServers(text.split(",")), TypeError);
    assertEquals(/SEC|RET|MORE|12|34/.exec(message), null, message);
  }
});
