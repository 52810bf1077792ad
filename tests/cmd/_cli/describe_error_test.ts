import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { describeError } from "../../../cmd/_cli/mod.ts";
import { explainSystemError } from "../../../cmd/_cli/system_errors.ts";
import {
  type Address,
  ConnectionError,
  type ConnectionOperation,
  formatAddress,
} from "../../../lib/net/mod.ts";
import { ownAddress } from "../../support/own_address.ts";

function connectionError(operation: ConnectionOperation, address: Address, cause: unknown): Error {
  return new ConnectionError(operation, address, cause);
}

const tcp: Address = { transport: "tcp", hostname: "127.0.0.1", port: 5634 };
const unix: Address = { transport: "unix", path: "/run/x.sock" };

const TOO_MANY = Deno.build.os === "windows" ? "no room for more sockets" : "ulimit -n";

async function errorOf(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  throw new Error("it did not fail");
}

Deno.test("an address in use is told apart from one that does not exist", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  const inUse = await errorOf(() => Deno.listen({ hostname: "127.0.0.1", port }));
  assertEquals(
    describeError(connectionError("listen", { ...tcp, port }, inUse)),
    `cannot listen on 127.0.0.1:${port}: the address is in use ` +
      "(another server runs there; 127.0.0.1:0 takes a free port)",
  );
  assertEquals(
    describeError(inUse, `listen on 127.0.0.1:${port}`),
    describeError(connectionError("listen", { ...tcp, port }, inUse)),
  );
  const notHere = await errorOf(() => Deno.listen({ hostname: "192.0.2.7", port: 0 }));
  assertStringIncludes(describeError(notHere, "listen on 192.0.2.7:0"), "no network interface has");
});

Deno.test("a refused connection says that no server listens", async () => {
  const nobody = ownAddress();
  const refused = await errorOf(() => Deno.connect(nobody));
  assertEquals(
    describeError(connectionError("connect", nobody, refused)),
    `cannot connect to ${formatAddress(nobody)}: the connection was refused ` +
      "(no server listens there)",
  );
});

Deno.test("a system error is found at the end of a chain of causes", () => {
  const reset = new Error("middle", { cause: new Deno.errors.ConnectionReset("reset") });
  assertEquals(
    describeError(connectionError("read", tcp, reset)),
    "cannot read from 127.0.0.1:5634: the other side reset the connection",
  );
});

Deno.test("what happened is said for each kind of system error", () => {
  const { errors } = Deno;
  const lookup = "failed to lookup address information: Name or service not known";
  const cases: [ConnectionOperation, Address, Error, string][] = [
    ["connect", tcp, new Error(lookup), "there is no host of this name"],
    ["connect", tcp, new errors.TimedOut(), "no answer in time (a firewall"],
    ["read", tcp, new DOMException("late", "TimeoutError"), "no answer in time"],
    [
      "listen",
      tcp,
      new errors.PermissionDenied(),
      Deno.build.os === "windows" ? "excludedportrange" : "ports below 1024",
    ],
    ["listen", unix, new errors.PermissionDenied(), "permission denied"],
    ["listen", unix, new errors.NotFound(), "the folder does not exist"],
    ["listen", unix, new errors.AddrInUse(), "another server listens there"],
    ["connect", unix, new errors.NotFound(), "no server listens there"],
    ["accept", tcp, Object.assign(new Error("os error 24"), { code: "EMFILE" }), TOO_MANY],
    ["write", tcp, new errors.BrokenPipe(), "the other side has closed the connection"],
    ["connect", tcp, Object.assign(new Error(), { code: "EHOSTUNREACH" }), "no route leads there"],
    [
      "tls-handshake",
      tcp,
      new errors.InvalidData("invalid peer certificate: UnknownIssuer"),
      "--tls-ca",
    ],
    [
      "tls-handshake",
      tcp,
      new errors.InvalidData("received corrupt message of type X"),
      "not speak TLS",
    ],
    ["tls-handshake", tcp, new errors.UnexpectedEof(), "closed the connection too early"],
    [
      "connect",
      tcp,
      new errors.NotCapable("Requires net access, run again with …"),
      "Requires net access (run Deno with -A)",
    ],
  ];
  for (const [operation, address, cause, expected] of cases) {
    const text = describeError(connectionError(operation, address, cause));
    assertStringIncludes(text, expected);
    assertEquals(text.startsWith("cannot ") && !text.includes("\n"), true, text);
  }
});

Deno.test("an error about a file says which and what was tried", async () => {
  assertEquals(
    describeError(await errorOf(() => Deno.readTextFile("/no/such"))),
    "cannot read /no/such: no such file or folder",
  );
  assertEquals(
    describeError(await errorOf(() => Deno.readTextFile("/no/such")), "load the notes"),
    "cannot load the notes: no such file or folder",
  );
  assertEquals(
    describeError(await errorOf(() => Deno.mkdir("/no/such"))),
    "cannot make the folder /no/such: no such file or folder",
  );
});

Deno.test("an error with a code of its own keeps its message, system error behind it or not", () => {
  const cause = new Deno.errors.NotFound("x");
  const error = Object.assign(new Error("Index a.db is of another program", { cause }), {
    code: "foreign-index",
  });
  assertEquals(describeError(error), "index a.db is of another program");
  const inUse = new ConnectionError("listen", unix, new Error("Probe answered"), "address-in-use");
  assertStringIncludes(
    describeError(inUse),
    "cannot listen on unix:/run/x.sock: the path is in use",
  );
  const timeout = Object.assign(new Error("No first byte within 5 s"), {
    code: "idle",
    operation: "read",
    address: tcp,
  });
  assertEquals(describeError(timeout), "no first byte within 5 s");
});

Deno.test("an error that is its own cause is described all the same", () => {
  const error = new ConnectionError("read", tcp, undefined, "failed");
  error.cause = error;
  assertStringIncludes(describeError(error), "cannot read from 127.0.0.1:5634");
});

Deno.test("other errors and values keep their words", () => {
  assertEquals(describeError(new Error("JSON is odd")), "JSON is odd");
  assertEquals(describeError(new RangeError("")), "RangeError");
  assertEquals(describeError("just a text"), "just a text");
  assertEquals(describeError(undefined, "do it"), "cannot do it: undefined");
  assertEquals(describeError(new Error("it broke"), "save"), "cannot save: it broke");
});

Deno.test("errors of Windows are told by their number, with what helps there", () => {
  const told = (text: string, operation: string) =>
    explainSystemError(new Error(text), operation, "127.0.0.1:80", "windows");
  const table: [text: string, operation: string, includes: string][] = [
    ["Zugriff verweigert. (os error 10013)", "listen", "excludedportrange"],
    ["Zugriff verweigert. (os error 10013)", "connect", "permission denied"],
    ["Zu viele offene Sockets. (os error 10024)", "accept", "no room for more sockets"],
    ["Kein Pufferspeicher. (os error 10055)", "connect", "netsh interface ipv4 set dynamicport"],
    ["Adresse bereits verwendet. (os error 10048)", "connect", "no port left"],
    ["Adresse bereits verwendet. (os error 10048)", "listen", "another server runs there"],
    ["Unbekannt. (os error 11001)", "connect", "no host of this name"],
    ["Temporärer Fehler. (os error 11002)", "connect", "no host of this name"],
  ];
  for (const [text, operation, includes] of table) {
    assertStringIncludes(told(text, operation)!, includes);
  }
  for (const [text, operation] of table) {
    assert(!told(text, operation)!.includes("ulimit"), text);
  }
  const mac = explainSystemError(new Error("(os error 10048)"), "connect", "a:1", "darwin");
  assertStringIncludes(mac!, "net.inet.ip.portrange.first");
});

Deno.test("an error that another one at the clean-up hides is told", () => {
  const first = new Error("the disk is full");
  const hiding = new SuppressedError(new Error("it could not be closed"), first);
  assertEquals(describeError(hiding), describeError(first));
});
