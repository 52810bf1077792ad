import { assertEquals, assertStrictEquals } from "@std/assert";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { ConnectionError, parseAddress } from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { ownAddress } from "../support/own_address.ts";
import { SERVER_TLS } from "../support/tls.ts";

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
    // Windows speaks the language of its user.
    [new Error("Der angegebene Host ist unbekannt. (os error 11001)"), "host-not-found"],
    [new Error("Dies ist ein temporärer Fehler. (os error 11002)"), "host-not-found"],
    [new Error("Ein schwerwiegender Fehler. (os error 11003)"), "host-not-found"],
    [new Error("Der Name ist gültig, es gibt keine Daten. (os error 11004)"), "host-not-found"],
    [new Error("Zugriff verweigert. (os error 10013)"), "permission-denied"],
    [new Error("Aucune mémoire tampon disponible. (os error 10055)"), "out-of-memory"],
    [new Error("Une tentative a été interdite. (os error 10048)"), "address-in-use"],
    [new Error("リモート ホストによる切断 (os error 10054)"), "reset"],
    [new Error("Der Zielcomputer verweigerte die Verbindung. (os error 10061)"), "refused"],
    [new Error("Der Host war nicht erreichbar. (os error 10065)"), "unreachable"],
    [new Error("whatever number (os error 19999)"), "failed"],
    [new Error("keys may not be consistent: KeyMismatch"), "tls"],
    [new Error("whatever else"), "failed"],
    [new Error("Too many open files in system (os error 23)"), "too-many-open-files"],
    [new Error("Too many open sockets. (os error 10024)"), "too-many-open-files"],
    [new Error("Cannot allocate memory (os error 12)"), "out-of-memory"],
    [new Error("No buffer space available (os error 105)"), "out-of-memory"],
    [new DOMException("Signal timed out.", "TimeoutError"), "timed-out"],
    [new DOMException("The signal has been aborted", "AbortError"), "closed"],
    ["no error at all", "failed"],
    [null, "failed"],
    [Object.create(null), "failed"],
    [{ name: "constructor", code: "toString" }, "failed"],
    [{ name: Symbol("s"), code: 5 }, "failed"],
    [undefined, "failed"],
  ];
  for (const [cause, code] of codes) {
    const error = new ConnectionError("read", ADDRESS, cause);
    assertEquals(error.code, code, Deno.inspect(cause));
    assertStrictEquals(error.cause, cause);
  }
});

/** What Node calls the errors of sockets and of TLS. */
const NODE_CODES: Record<string, string> = {
  ECONNREFUSED: "refused",
  ECONNRESET: "reset",
  ECONNABORTED: "reset",
  EPIPE: "reset",
  ENOTCONN: "reset",
  ERR_STREAM_PREMATURE_CLOSE: "reset",
  ETIMEDOUT: "timed-out",
  ERR_TLS_HANDSHAKE_TIMEOUT: "timed-out",
  ENETUNREACH: "unreachable",
  EHOSTUNREACH: "unreachable",
  ENOTFOUND: "host-not-found",
  EAI_AGAIN: "host-not-found",
  EADDRINUSE: "address-in-use",
  EADDRNOTAVAIL: "address-not-available",
  ENOENT: "not-found",
  EACCES: "permission-denied",
  EPERM: "permission-denied",
  EMFILE: "too-many-open-files",
  ENFILE: "too-many-open-files",
  ENOMEM: "out-of-memory",
  ENOBUFS: "out-of-memory",
  EAFNOSUPPORT: "not-supported",
  EPROTO: "tls",
  ERR_TLS_CERT_ALTNAME_INVALID: "tls",
  ERR_SSL_WRONG_VERSION_NUMBER: "tls",
  ERR_STREAM_DESTROYED: "closed",
  ERR_SOCKET_CLOSED: "closed",
  ERR_SOMETHING_ELSE: "failed",
};

Deno.test("an error of Node has the code of the same failure in Deno", () => {
  for (const [nodeCode, code] of Object.entries(NODE_CODES)) {
    const cause = Object.assign(new Error("odd"), { code: nodeCode });
    assertEquals(new ConnectionError("read", ADDRESS, cause).code, code, nodeCode);
  }
  const untrusted = Object.assign(new Error("unable to verify the first certificate"), {
    code: "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  });
  assertEquals(new ConnectionError("connect", ADDRESS, untrusted).code, "tls");
});

/** What a socket of Node fails with. */
function failureOf(socket: Socket): Promise<unknown> {
  socket.resume();
  return deadline(new Promise((resolve) => socket.on("error", resolve)));
}

const codeOf = (cause: unknown) => new ConnectionError("connect", ADDRESS, cause).code;

Deno.test("what real sockets of node:net and node:tls fail with has its code", async () => {
  const { hostname: host, port } = ownAddress();
  const listener = Deno.listen({ hostname: host, port });
  const taken = createServer().on("error", () => {}).listen(port, host);
  const [inUse] = await deadline(once(taken, "error"));
  assertEquals(codeOf(inUse), "address-in-use");

  const noTls = connectTls({ port, host });
  const plain = await deadline(listener.accept());
  await plain.write(new TextEncoder().encode("this is no TLS at all"));
  assertEquals(codeOf(await failureOf(noTls)), "tls");
  plain.close();
  listener.close();

  assertEquals(codeOf(await failureOf(connect({ port, host }))), "refused");
  assertEquals(codeOf(await failureOf(connect({ port, host: "localhost" }))), "refused");
  assertEquals(codeOf(await failureOf(connect({ path: "/no/such/socket" }))), "not-found");

  const resetting = createServer((socket) => socket.resetAndDestroy()).listen(0, "127.0.0.1");
  await deadline(once(resetting, "listening"));
  const reset = connect({ port: (resetting.address() as { port: number }).port });
  assertEquals(codeOf(await failureOf(reset)), "reset");
  await new Promise((resolve) => resetting.close(resolve));

  using secure = Deno.listenTls({ hostname: "127.0.0.1", port: 0, ...SERVER_TLS });
  const accepted = secure.accept();
  const untrusted = connectTls({ port: secure.addr.port, host: "127.0.0.1" });
  assertEquals(codeOf(await failureOf(untrusted)), "tls");
  (await deadline(accepted)).close();
});

Deno.test("an error of a peer without an address says so", () => {
  const error = new ConnectionError("read", undefined, new errors.ConnectionReset());
  assertEquals(error.message, "Cannot read from the peer: the peer broke off the connection");
  assertEquals([error.address, error.code], [undefined, "reset"]);
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
