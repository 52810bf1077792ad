import { assertEquals, assertStrictEquals } from "@std/assert";
import { ConnectionError, parseAddress } from "../../lib/net/mod.ts";

const ADDRESS = parseAddress("[::1]:80");
const { errors } = Deno;

Deno.test("an error of the runtime has the same code on every operating system", () => {
  const codes: [cause: unknown, code: string][] = [
    [new errors.ConnectionRefused(), "refused"],
    [new errors.ConnectionReset(), "reset"],
    [new errors.ConnectionAborted(), "reset"],
    [new errors.BrokenPipe(), "reset"],
    [new errors.NotConnected(), "reset"],
    [new errors.UnexpectedEof("peer closed connection without sending TLS close_notify"), "reset"],
    [new errors.TimedOut(), "timed-out"],
    [new errors.NetworkUnreachable(), "unreachable"],
    [new Error("No route to host (os error 113)"), "unreachable"],
    [new errors.AddrInUse(), "address-in-use"],
    [new errors.AddrNotAvailable(), "address-not-available"],
    [new errors.PermissionDenied(), "permission-denied"],
    [new errors.NotCapable(), "permission-denied"],
    [new errors.BadResource(), "closed"],
    [new errors.Interrupted(), "closed"],
    [new errors.NotFound(), "not-found"],
    [new errors.NotSupported(), "not-supported"],
    [new errors.InvalidData("invalid peer certificate: UnknownIssuer"), "tls"],
    [
      new Error("failed to lookup address information: Name or service not known"),
      "host-not-found",
    ],
    [new Error("failed to lookup address information: nodename nor servname"), "host-not-found"],
    [new Error("No such host is known. (os error 11001)"), "host-not-found"],
    [new Error("Too many open files (os error 24)"), "too-many-open-files"],
    [new Error("keys may not be consistent: KeyMismatch"), "tls"],
    [new Error("whatever else"), "failed"],
    ["no error at all", "failed"],
    [undefined, "failed"],
  ];
  for (const [cause, code] of codes) {
    const error = new ConnectionError("read", ADDRESS, cause);
    assertEquals(error.code, code, String(cause));
    assertStrictEquals(error.cause, cause);
  }
});

Deno.test("an error says what was tried, on which address, and what happened", () => {
  const message = (...args: ConstructorParameters<typeof ConnectionError>) =>
    new ConnectionError(...args).message;
  const refused = new errors.ConnectionRefused("Connection refused (os error 111)");
  assertEquals(
    message("connect", ADDRESS, refused),
    "Cannot connect to [::1]:80: the connection was refused",
  );
  assertEquals(
    message("listen", parseAddress("unix:/x"), new errors.AddrInUse("x")),
    "Cannot listen on unix:/x: the address is in use",
  );
  assertEquals(
    message("tls-handshake", ADDRESS, new Error("odd thing (os error 5)")),
    "Cannot agree on TLS with [::1]:80: odd thing",
  );
  assertEquals(message("write", ADDRESS, new Error("")), "Cannot write to [::1]:80: it failed");
  assertEquals(
    message("accept", ADDRESS, undefined, "timed-out"),
    "Cannot accept a connection on [::1]:80: it took too long",
  );
  assertEquals(new ConnectionError("read", ADDRESS, 5).name, "ConnectionError");
});
