import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import type { ArgumentTable } from "../../../cmd/_cli/mod.ts";
import { type Address, formatAddress } from "../../../lib/net/address.ts";

import { UsageError } from "../../../cmd/_cli/mod.ts";
import { readPositionals } from "../../../cmd/_cli/positionals.ts";

const address = { type: "address", default: "127.0.0.1:5634", help: "" } as const;
const SHAPES = {
  server: { address },
  echo: { address, text: { type: "string", optional: true, help: "" } },
  app: {
    address: { ...address, webSocket: true },
    action: { type: "string", help: "" },
    value: { type: "string", help: "" },
  },
  loose: {
    address,
    action: { type: "string", help: "" },
    value: { type: "string", optional: true, help: "" },
  },
  multi: { address, "num-conns": { type: "count", min: 1, help: "" } },
  proxy: { listen: { type: "address", help: "" }, upstream: { type: "address", help: "" } },
  sub: { filter: { type: "string", repeat: true, help: "" } },
  pub: {
    topic: { type: "string", help: "" },
    message: { type: "string", optional: true, help: "" },
  },
} as const satisfies Record<string, ArgumentTable>;

type Shape = keyof typeof SHAPES;

/** The values in order, addresses written out. */
function read(shape: Shape, line: string): unknown[] {
  const values = readPositionals(SHAPES[shape], line.split(" ").filter(Boolean));
  return Object.values(values).map((value) =>
    typeof value === "object" && "transport" in value ? formatAddress(value as Address) : value
  );
}

function refused(shape: Shape, line: string): string {
  return assertThrows(() => read(shape, line), UsageError).message;
}

const DEFAULT = "127.0.0.1:5634";

Deno.test("an address alone may be written in every way, or left out", () => {
  assertEquals(read("server", ""), [DEFAULT]);
  assertEquals(read("server", "localhost 80"), ["localhost:80"]);
  assertEquals(read("app", "ws://host:1/ws search x"), ["ws://host:1/ws", "search", "x"]);
  assertMatch(refused("server", "ws://host:1/ws"), /is a WebSocket, which cannot be used here/);
  assertEquals(read("server", "0.0.0.0 0"), ["0.0.0.0:0"]);
  assertEquals(read("server", "::1 80"), ["[::1]:80"]);
  assertEquals(read("server", "[::1] 80"), ["[::1]:80"]);
  assertEquals(read("server", "localhost:80"), ["localhost:80"]);
  assertEquals(read("server", ":80"), ["127.0.0.1:80"]);
  assertEquals(read("server", "[::1]:80"), ["[::1]:80"]);
  assertEquals(read("server", "unix:/tmp/x.sock"), ["unix:/tmp/x.sock"]);
  assertEquals(read("server", "0.0.0.0"), ["0.0.0.0:5634"]);
  assertEquals(read("server", "[::]"), ["[::]:5634"]);
});

Deno.test("an address with a mistake in it is refused with its reason", () => {
  assertEquals(refused("server", "5634"), "write the port 5634 as :5634");
  assertEquals(
    refused("server", "localhost:99999"),
    'cannot read the address "localhost:99999": the port "99999" is not a number from 0 to 65535',
  );
  assertEquals(
    refused("server", "localhost 99999"),
    'cannot read the address "localhost 99999": the port "99999" is not a number from 0 to 65535',
  );
  assertEquals(
    refused("server", "::1"),
    'cannot read the address "::1": an IPv6 address needs brackets: [::1]:PORT',
  );
  assertEquals(
    refused("server", "unix:"),
    'cannot read the address "unix:": the path after unix: is empty',
  );
  assertEquals(
    refused("server", ":80 x"),
    'too many arguments: "x" (quote a text of several words)',
  );
});

Deno.test("an optional text after an optional address", () => {
  assertEquals(read("echo", ""), [DEFAULT, undefined]);
  assertEquals(read("echo", "hello"), [DEFAULT, "hello"]);
  assertEquals(read("echo", "-"), [DEFAULT, "-"]);
  assertEquals(read("echo", "5634"), [DEFAULT, "5634"]);
  assertEquals(read("echo", "localhost:80"), ["localhost:80", undefined]);
  assertEquals(read("echo", "localhost 80"), ["localhost:80", undefined]);
  assertEquals(read("echo", "localhost 80 hello"), ["localhost:80", "hello"]);
  assertEquals(read("echo", ":80 hello"), ["127.0.0.1:80", "hello"]);
  assertEquals(read("echo", ":80 123"), ["127.0.0.1:80", "123"]);
  assertEquals(read("echo", ":80 :81"), ["127.0.0.1:80", ":81"]);
  assertEquals(read("echo", "unix:/x 80"), ["unix:/x", "80"]);
  assertEquals(
    refused("echo", "hello world"),
    'too many arguments; if "hello" is the address, write it as HOST:PORT',
  );
});

Deno.test("a word that may be the server or a text is refused, with both readings", () => {
  const readings: [shape: Shape, line: string, server: string, other: string][] = [
    ["echo", "localhost", "localhost:5634", ":5634 localhost"],
    ["echo", "LocalHost", "LocalHost:5634", ":5634 LocalHost"],
    ["echo", "db.internal", "db.internal:5634", ":5634 db.internal"],
    ["echo", "10.0.0.7", "10.0.0.7:5634", ":5634 10.0.0.7"],
    ["echo", "hello.", "hello.:5634", ":5634 hello."],
    ["echo", "10:30", "HOST:PORT", ":5634 10:30"],
    ["echo", "a:b", "HOST:PORT", ":5634 a:b"],
    ["echo", "::1", "[::1]:5634", ":5634 ::1"],
    ["echo", "[::1]", "[::1]:5634", ":5634 [::1]"],
    ["echo", "http://db.internal/x", "db.internal:5634", ":5634 http://db.internal/x"],
    ["echo", "tcp://db:80", "db:80", ":5634 tcp://db:80"],
    ["app", "localhost search", "localhost:5634 search", ":5634 localhost search"],
    ["app", "db.internal search", "db.internal:5634 search", ":5634 db.internal search"],
    ["loose", "db.internal", "db.internal:5634", ":5634 db.internal"],
  ];
  for (const [shape, line, server, other] of readings) {
    const message = refused(shape, line);
    assertEquals(message.match(/'([^']*)'/g), [`'${server}'`, `'${other}'`], message);
    // What is proposed works.
    if (server !== "HOST:PORT") {
      const [where] = server.split(" ");
      assertEquals(read("server", where!), read("echo", where!).slice(0, 1));
    }
    assertEquals(read(shape, other)[0], DEFAULT);
  }
  for (const line of ["hello", "...", "-", ":-)", "5634"]) {
    assertEquals(read("echo", line), [DEFAULT, line]);
  }
  assertEquals(readPositionals(SHAPES.echo, ["at 10:30."])["text"], "at 10:30.");
  assertEquals(read("app", "search db.internal"), [DEFAULT, "search", "db.internal"]);
});

Deno.test("two required words after an optional address", () => {
  assertEquals(read("app", "search morpheus"), [DEFAULT, "search", "morpheus"]);
  assertEquals(read("app", "search 5634"), [DEFAULT, "search", "5634"]);
  assertEquals(read("app", "127.0.0.1 80 search x"), ["127.0.0.1:80", "search", "x"]);
  assertEquals(read("app", "example.org 80 search x"), ["example.org:80", "search", "x"]);
  assertEquals(read("app", "db 80 search 42"), ["db:80", "search", "42"]);
  assertEquals(read("app", "localhost:80 search 42"), ["localhost:80", "search", "42"]);
  assertEquals(read("app", "[::1]:80 search x"), ["[::1]:80", "search", "x"]);
  assertEquals(read("app", "::1 80 search x"), ["[::1]:80", "search", "x"]);
  assertEquals(read("app", "unix:/x search y"), ["unix:/x", "search", "y"]);
});

Deno.test("missing words are named, whichever way the address is written", () => {
  assertEquals(refused("app", ""), "ACTION and VALUE are missing");
  assertEquals(refused("app", "search"), "VALUE is missing");
  assertEquals(refused("app", "127.0.0.1 80"), "ACTION and VALUE are missing");
  assertEquals(refused("app", "localhost 80 search"), "VALUE is missing");
  assertEquals(refused("app", "localhost:80 search"), "VALUE is missing");
  assertEquals(refused("multi", "127.0.0.1 80"), "NUM_CONNS is missing");
  assertEquals(refused("multi", ":80"), "NUM_CONNS is missing");
});

Deno.test("too many words are refused", () => {
  assertEquals(
    refused("app", "search 42 x"),
    'too many arguments; if "search" is the address, write it as HOST:PORT',
  );
  assertEquals(
    refused("app", ":80 search x y z"),
    'too many arguments: "y" "z" (quote a text of several words)',
  );
  assertEquals(
    refused("app", "localhost 80 search x y"),
    'too many arguments: "y" (quote a text of several words)',
  );
});

Deno.test("a number of connections is not taken for a port, nor a host for the address", () => {
  assertEquals(read("multi", "100"), [DEFAULT, 100]);
  assertEquals(read("multi", "localhost 80 100"), ["localhost:80", 100]);
  assertEquals(read("multi", "server 80 5k"), ["server:80", 5000]);
  assertEquals(read("multi", ":80 100"), ["127.0.0.1:80", 100]);
  assertEquals(
    refused("multi", "server 80"),
    'too many arguments; if "server" is the address, write it as HOST:PORT',
  );
  assertEquals(
    refused("multi", "100 localhost:80"),
    'too many arguments; if "100" is the address, write it as HOST:PORT',
  );
  assertEquals(refused("multi", ":80 0"), "NUM_CONNS: 0 is too small (at least 1)");
  assertEquals(
    refused("multi", ":80 many"),
    'NUM_CONNS: cannot read "many" as a whole number (write 250, 10k or 1M)',
  );
});

Deno.test("a required word has its word before an optional one", () => {
  assertEquals(read("loose", "stats"), [DEFAULT, "stats", undefined]);
  assertEquals(read("loose", "search 80"), [DEFAULT, "search", "80"]);
  assertEquals(read("loose", "localhost:80 stats"), ["localhost:80", "stats", undefined]);
  assertEquals(read("loose", "db 80 stats"), ["db:80", "stats", undefined]);
  assertEquals(read("loose", "db 80 search 42"), ["db:80", "search", "42"]);
});

Deno.test("a command without an address takes words for what they are", () => {
  assertEquals(read("sub", "a.b :80 c.*"), [["a.b", ":80", "c.*"]]);
  assertEquals(read("pub", "localhost 80"), ["localhost", "80"]);
  assertEquals(refused("sub", ""), "FILTER is missing");
  assertEquals(refused("pub", "a b c"), 'too many arguments: "c" (quote a text of several words)');
});

Deno.test("two addresses are one word or two each", () => {
  const pairs: readonly (readonly [string, unknown[]])[] = [
    [":6000 :5634", ["127.0.0.1:6000", "127.0.0.1:5634"]],
    [":6000 example.org:80", ["127.0.0.1:6000", "example.org:80"]],
    [":6000 example.org 80", ["127.0.0.1:6000", "example.org:80"]],
    ["localhost 6000 :5634", ["localhost:6000", "127.0.0.1:5634"]],
    ["localhost 6000 127.0.0.1 5634", ["localhost:6000", "127.0.0.1:5634"]],
    [":0 ::1 5634", ["127.0.0.1:0", "[::1]:5634"]],
    [":0 [::1] 5634", ["127.0.0.1:0", "[::1]:5634"]],
    ["unix:/a unix:/b", ["unix:/a", "unix:/b"]],
  ];
  for (const [line, expected] of pairs) assertEquals(read("proxy", line), expected, line);
  const mistakes: readonly (readonly [string, string])[] = [
    [":6000", "UPSTREAM is missing"],
    ["", "LISTEN is missing"],
    ["6000 :5634", "write the port 6000 as :6000"],
    ["localhost :5634", "the port is missing"],
    [":6000 localhost", "the port is missing"],
    [":6000 :5634 :5635", "too many arguments"],
  ];
  for (const [line, part] of mistakes) {
    assertEquals(refused("proxy", line).includes(part), true, line);
  }
});
