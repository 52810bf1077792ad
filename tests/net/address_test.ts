import { assert, assertEquals, assertInstanceOf, assertThrows } from "@std/assert";
import fc from "fast-check";
import {
  type Address,
  AddressError,
  formatAddress,
  isLoopback,
  networkOf,
  parseAddress,
  parseHostPort,
  toAddress,
} from "../../lib/net/mod.ts";
import { asciiHost } from "../../lib/net/address.ts";
import { addressOf } from "../../lib/net/address_of.ts";
import { anyCharacter } from "../support/any_character.ts";

const port = fc.nat(65_535);
/** Names and IPv4 addresses, but not a host called `unix`: `unix:80` is a path. */
const name = fc.oneof(fc.domain(), fc.ipV4(), fc.constantFrom("localhost", "a", "my_host", "0"));
const tcp = fc.record({
  transport: fc.constant("tcp" as const),
  hostname: fc.oneof(name, fc.ipV6()),
  port,
});
const webSocket = fc.record({
  transport: fc.constantFrom("ws" as const, "wss" as const),
  hostname: fc.oneof(name, fc.ipV6()),
  port,
  path: fc.webPath().map((path) => path.startsWith("/") ? path : `/${path}`),
});
const unix = fc.record({
  transport: fc.constant("unix" as const),
  // A path may not have a NUL character. One before it makes it an abstract name.
  path: fc.tuple(
    fc.constantFrom("", "\0", "@", "/"),
    fc.string({ minLength: 1, unit: anyCharacter }).map((text) => text.replaceAll("\0", "x")),
  ).map((parts) => parts.join("")),
});

Deno.test("an address that is written is read as the same address", () => {
  fc.assert(fc.property(fc.oneof<fc.Arbitrary<Address>[]>(tcp, unix, webSocket), (address) => {
    const isFileAt = address.transport === "unix" && address.path.startsWith("@");
    const same = isFileAt ? { ...address, path: `./${address.path}` } : address;
    assertEquals(parseAddress(formatAddress(address)), same);
    assertEquals(toAddress(address), address);
  }));
});

Deno.test("an abstract name is written behind an @, and a file of such a name with its folder", () => {
  const unix = (path: string) => ({ transport: "unix" as const, path });
  assertEquals(parseAddress("unix:@x"), unix("\0x"));
  assertEquals(formatAddress(unix("\0x")), "unix:@x");
  assertEquals(formatAddress(unix("@x")), "unix:./@x");
  assertEquals(parseAddress("unix:./@x"), unix("./@x"));
});

Deno.test("an address that cannot be is refused as a text of it is", () => {
  const tcp = { transport: "tcp", hostname: "localhost", port: 80 } as const;
  const refused: [address: unknown, reason: string][] = [
    [{ ...tcp, hostname: "*" }, "all interfaces are"],
    [{ ...tcp, hostname: "a b" }, "is no host name"],
    [{ ...tcp, hostname: "" }, "is no host name"],
    [{ ...tcp, port: 65_536 }, "the port 65536 is not a number from 0 to 65535"],
    [{ ...tcp, port: -1 }, "the port -1"],
    [{ ...tcp, port: 1.5 }, "the port 1.5"],
    [{ ...tcp, port: NaN }, "the port NaN"],
    [{ ...tcp, port: "80" }, "the port 80"],
    [{ transport: "unix", path: "" }, "the path after unix: is empty"],
    [{ transport: "unix", path: "a\0" }, "a path has no NUL character"],
  ];
  for (const [address, reason] of refused) {
    assertThrows(() => toAddress(address as Address), AddressError, reason);
  }
  for (const address of [null, 5, {}, { transport: "tcp" }, { transport: "unix", path: 5 }]) {
    assertThrows(() => toAddress(address as Address), TypeError, "Cannot use");
  }
});

Deno.test("a name of other letters is dialled as name servers know it", () => {
  const names: [string, string][] = [
    ["b\u00fccher.example", "xn--bcher-kva.example"],
    ["\u4f8b\u3048.jp", "xn--r8jz45g.jp"],
    ["localhost", "localhost"],
    ["LocalHost", "LocalHost"],
    ["1.2.3", "1.2.3"],
    ["::1", "::1"],
  ];
  for (const [name, ascii] of names) assertEquals(asciiHost(name), ascii);
  assertEquals(parseAddress("b\u00fccher.example:80"), {
    transport: "tcp",
    hostname: "b\u00fccher.example",
    port: 80,
  });
});

Deno.test("any text is an address that is written as it can be read again, or an AddressError", () => {
  const texts = fc.oneof(
    fc.string({ unit: anyCharacter }),
    fc.string({ unit: fc.constantFrom(..."[]:%.0159af unix/@") }),
  );
  fc.assert(fc.property(texts, fc.option(port, { nil: undefined }), (text, byDefault) => {
    let address: Address;
    try {
      address = parseAddress(text, byDefault === undefined ? {} : { port: byDefault });
    } catch (error) {
      assertInstanceOf(error, AddressError);
      assertEquals([error.code, error.text], ["bad-address", text]);
      return;
    }
    assertEquals(parseAddress(formatAddress(address)), address);
  }));
});

Deno.test("the parts that a text leaves out take the defaults", () => {
  const at = (hostname: string, port: number) => ({ transport: "tcp" as const, hostname, port });
  assertEquals(parseAddress(":80"), at("127.0.0.1", 80));
  assertEquals(parseAddress(":80", { hostname: "0.0.0.0" }), at("0.0.0.0", 80));
  assertEquals(parseAddress("host", { port: 5 }), at("host", 5));
  assertEquals(parseAddress("[::1]", { port: 5 }), at("::1", 5));
  assertEquals(parseAddress("host:6", { port: 5 }), at("host", 6));
  assertEquals(parseAddress("[::]:0"), at("::", 0));
  assertEquals(parseAddress("[fe80::1%eth0]:1"), at("fe80::1%eth0", 1));
  assertEquals(parseAddress("[::ffff:127.0.0.1]:1"), at("::ffff:127.0.0.1", 1));
  assertEquals(parseAddress("localhost:00080"), at("localhost", 80));
});

Deno.test("a text that names no endpoint is refused with the reason", () => {
  const refused: [text: string, reason: string][] = [
    ["", "write HOST:PORT"],
    ["host", "the port is missing"],
    ["[::1]", "the port is missing"],
    ["host:", 'the port "" is not a number from 0 to 65535'],
    [":", 'the port "" is not'],
    ["host:65536", 'the port "65536" is not'],
    ["host:-1", 'the port "-1" is not'],
    ["host:+1", 'the port "+1" is not'],
    ["host:1.0", 'the port "1.0" is not'],
    ["host:1e3", 'the port "1e3" is not'],
    ["host:0x50", 'the port "0x50" is not'],
    ["host: 80", 'the port " 80" is not'],
    ["host:80 ", 'the port "80 " is not'],
    ["host:８０", "is not a number"],
    ["host:1234567890123", "is not a number"],
    ["::1", "an IPv6 address needs brackets: [::1]:PORT"],
    ["::1:80", "an IPv6 address needs brackets"],
    ["a:b:80", "write HOST:PORT"],
    ["[::1", "the closing bracket is missing"],
    ["[::1]80", "write HOST:PORT"],
    ["[]:80", "in brackets stands an IPv6 address"],
    ["[localhost]:80", "in brackets stands an IPv6 address"],
    ["[127.0.0.1]:80", "in brackets stands an IPv6 address"],
    ["[::1]]:80", "write HOST:PORT"],
    ["a b:80", '"a b" is no host name'],
    ["\thost:80", "is no host name"],
    ["user@host:80", "is no host name"],
    ["host/path:80", "is no host name"],
    ["http://host", "is not a number"],
    ["host]:80", "is no host name"],
    ["unix:", "the path after unix: is empty"],
    ["unix:@", "the name after unix:@ is empty"],
    ["unix:@a\0b", "a path has no NUL character"],
    ["unix:/a\0b", "a path has no NUL character"],
    ["*:80", "* is no host name: all interfaces are 0.0.0.0 (IPv4) or [::]"],
    ["*.example.org:80", "is no host name"],
    ["a..b:80", "is no host name"],
    [".a:80", "is no host name"],
    ["a%b:80", "is no host name"],
    ["a,b:80", "is no host name"],
    ["b\u00fccher example:80", "is no host name"],
    ["b\u00fccher%41:80", "is no host name"],
  ];
  for (const [text, reason] of refused) {
    assertThrows(() => parseAddress(text), AddressError, reason, text);
  }
});

Deno.test("a host and a port are read from two words", () => {
  const at = (hostname: string, port: number) => ({ transport: "tcp" as const, hostname, port });
  assertEquals(parseHostPort("localhost", "80"), at("localhost", 80));
  assertEquals(parseHostPort("::1", "0"), at("::1", 0));
  assertEquals(parseHostPort("[::1]", "65535"), at("::1", 65_535));
  const words: [string, string][] = [
    ["host", "65536"],
    ["host", ""],
    ["host", "http"],
    ["a b", "80"],
    ["a:b", "80"],
    ["unix:x", "80"],
    ["[host]", "80"],
    ["[", "80"],
  ];
  for (const [host, port] of words) {
    assertThrows(() => parseHostPort(host, port), AddressError, undefined, `${host} ${port}`);
  }
});

Deno.test("two words that are read can be written and read again", () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."[]:%.01af unix/") }), (host) => {
    let address: Address;
    try {
      address = parseHostPort(host, "80");
    } catch (error) {
      assertInstanceOf(error, AddressError);
      return;
    }
    assertEquals(parseAddress(formatAddress(address)), address);
  }));
});

Deno.test("an address tells whether only this machine can reach it", () => {
  const here = ["127.0.0.1:1", "127.255.0.3:1", "[::1]:1", "localhost:1", "unix:/x"];
  const there = ["0.0.0.0:1", "[::]:1", "10.0.0.1:1", "example.org:1", "127.evil.org:1"];
  for (const text of here) assert(isLoopback(parseAddress(text)), text);
  for (const text of there) assert(!isLoopback(parseAddress(text)), text);
});

Deno.test("the runtime's addresses of other transports are refused", () => {
  assertThrows(
    () => addressOf({ transport: "udp", hostname: "127.0.0.1", port: 1 }),
    TypeError,
    "udp",
  );
  assertThrows(() => addressOf({ transport: "vsock", cid: 1, port: 2 } as never), TypeError);
  assertEquals(addressOf({ transport: "unix", path: "" }), { transport: "unix", path: "" });
});

Deno.test("one owner's addresses are of one network", () => {
  const cases: [Address, string][] = [
    [{ transport: "tcp", hostname: "10.1.2.3", port: 1 }, "10.1.2.3"],
    [{ transport: "unix", path: "/run/a" }, "unix"],
    [{ transport: "tcp", hostname: "2001:db8:1:2:3:4:5:6", port: 1 }, "2001:db8:1:2::/64"],
    [{ transport: "tcp", hostname: "2001:db8:1:2::9", port: 2 }, "2001:db8:1:2::/64"],
    [{ transport: "tcp", hostname: "2001:db8::9", port: 2 }, "2001:db8:0:0::/64"],
    [{ transport: "tcp", hostname: "::1", port: 2 }, "0:0:0:0::/64"],
    [{ transport: "tcp", hostname: "fe80::1%eth0", port: 2 }, "fe80:0:0:0::/64"],
  ];
  for (const [address, network] of cases) assertEquals(networkOf(address), network);
});

Deno.test("a WebSocket is written as its URL", () => {
  const of = (transport: "ws" | "wss", hostname: string, port: number, path: string) => ({
    transport,
    hostname,
    port,
    path,
  });
  const texts: Record<string, Address> = {
    "ws://localhost:9090/ws": of("ws", "localhost", 9_090, "/ws"),
    "WSS://example.com/ws?a=b": of("wss", "example.com", 443, "/ws?a=b"),
    "ws://[::1]": of("ws", "::1", 80, "/"),
    "ws://host?x": of("ws", "host", 80, "/?x"),
    "ws:80": { transport: "tcp", hostname: "ws", port: 80 },
  };
  for (const [text, address] of Object.entries(texts)) {
    assertEquals(parseAddress(text), address, text);
    assertEquals(parseAddress(formatAddress(address)), address);
  }
  const wrong = ["ws://", "ws:///x", "ws://a b/", "ws://host/#x", "ws://host:70000/", "ws://[x]/"];
  for (const text of wrong) assertThrows(() => parseAddress(text), AddressError, undefined, text);
  const secret = assertThrows(() => parseAddress("ws://ada:secret@host/ws"), AddressError);
  assert(!secret.message.includes("secret"), secret.message);
  for (const path of ["", "ws", "/a b", "/#"]) {
    assertThrows(() => toAddress(of("ws", "host", 80, path)), AddressError, "the path must begin");
  }
});
