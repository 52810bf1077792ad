import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { runMulti } from "../../cmd/_cli/multi.ts";
import { program } from "../../cmd/program.ts";
import { serveEcho } from "../../lib/echo/mod.ts";
import { formatAddress, listen } from "../../lib/net/mod.ts";
import { LOOPBACK } from "../support/peers.ts";
import { Scratch } from "../support/scratch.ts";
import { oddFiles, SERVER_TLS, TLS_FILES } from "../support/tls.ts";
import { FakeHost } from "./_cli/fake_host.ts";

async function run(...args: readonly string[]) {
  const host = new FakeHost(args);
  return { code: await runMulti(program, host), err: host.errText, out: host.outText };
}

Deno.test("every server names the files of a certificate that cannot be used", async () => {
  using scratch = new Scratch();
  const { cert, key, nextKey, ca } = TLS_FILES;
  const text = scratch.write("notes.txt", "no PEM");
  const pem = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----\n";
  const broken = scratch.write("broken.key", pem);
  const cases: [cert: string, key: string, parts: readonly string[]][] = [
    [cert, nextKey, [cert, nextKey, "the key does not belong to the certificate"]],
    [ca, key, [ca, key, "does not belong"]],
    [text, key, [text, "no certificate in PEM"]],
    [key, key, [key, "no certificate in PEM"]],
    [cert, text, [text, "no private key in PEM"]],
    [cert, cert, [cert, "no private key in PEM"]],
    [cert, broken, [broken, "the private key cannot be read"]],
    [oddFiles("version_1").cert, oddFiles("version_1").key, ["version_1", "want version 3"]],
  ];
  for (const command of ["echo-server", "multiconn-server", "app-server", "broker"]) {
    for (const [cert, key, parts] of cases) {
      const { code, err } = await run(command, ":0", "--tls-cert", cert, "--tls-key", key);
      assertEquals(code, 1, err);
      for (const part of parts) assertStringIncludes(err, part);
      assert(!/KeyMismatch|UnsupportedCert|error 5|--tls-ca/.test(err), err);
    }
  }
});

Deno.test("a server warns of a certificate that clients will refuse", async () => {
  using listener = await listen(LOOPBACK);
  // It ends there: the port is taken.
  const where = formatAddress(listener.address);
  const doubts = {
    no_name: "it names no host (openssl: -addext subjectAltName=DNS:HOST",
    expired: "it expired on Jan  1 00:00:00 2021 GMT",
    not_yet_valid: "it is not valid before Jan  1 00:00:00 2100 GMT",
    authority: "it is that of an authority",
  } as const;
  for (const [oddity, doubt] of Object.entries(doubts)) {
    const { cert, key } = oddFiles(oddity as keyof typeof doubts);
    const { err } = await run("echo-server", where, "--tls-cert", cert, "--tls-key", key);
    assertStringIncludes(err, `warning: clients will refuse ${cert}: ${doubt}`);
  }
  const { cert, key } = TLS_FILES;
  const { err } = await run("echo-server", where, "--tls-cert", cert, "--tls-key", key);
  assert(!err.includes("warning"), err);
});

Deno.test("every client names a file of authorities that cannot be used", async () => {
  using scratch = new Scratch();
  const { key, ca } = TLS_FILES;
  const broken = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
  const cases: [file: string, what: string][] = [
    [scratch.write("notes.txt", "no PEM"), "it holds no certificate in PEM"],
    [scratch.write("empty", ""), "it holds no certificate in PEM"],
    [key, "it holds no certificate in PEM"],
    [scratch.write("broken.pem", broken), "its certificate cannot be read"],
    [
      scratch.write("second.pem", Deno.readTextFileSync(ca) + broken),
      "certificate 2 in it cannot be read",
    ],
  ];
  const commands: readonly (readonly string[])[] = [
    ["echo-client", ":1", "x"],
    ["app-client", ":1", "search", "x"],
    ["multiconn-client", ":1", "1"],
    ["pub", "a", "x", "--server", ":1"],
    ["sub", "a", "--server", ":1"],
  ];
  for (const command of commands) {
    for (const [file, what] of cases) {
      const { code, err } = await run(...command, "--tls", "--tls-ca", file);
      assertEquals(
        [code, err.includes(`cannot use ${file} for --tls-ca: ${what}`)],
        [1, true],
        err,
      );
    }
  }
});

Deno.test("--tls-name is the name that is checked, and --insecure checks nothing and says so", async () => {
  await using server = serveEcho(await listen(LOOPBACK, { tls: SERVER_TLS }));
  const echo = ["echo-client", formatAddress(server.address), "hello", "--tls"];
  const trusting = [...echo, "--tls-ca", TLS_FILES.ca];
  assertEquals(await run(...trusting, "--tls-name", "localhost"), {
    code: 0,
    out: "hello",
    err: "",
  });
  const wrong = await run(...trusting, "--tls-name", "example.org");
  assertEquals(wrong.code, 1);
  assertStringIncludes(wrong.err, "its certificate is not for example.org, only for localhost");
  assertEquals((await run(...trusting, "--tls-name", "a b")).code, 2);
  for (const more of [[], ["-q"], ["--tls-name", "example.org"]]) {
    const insecure = await run(...echo, "--insecure", ...more);
    assertEquals([insecure.code, insecure.out], [0, "hello"], insecure.err);
    assertStringIncludes(
      insecure.err,
      "warning: --insecure: the server's certificate is NOT checked",
    );
  }
  assertEquals((await run(...trusting, "--insecure")).code, 2);
  for (const flag of [["--insecure"], ["--tls-name", "x"]]) {
    const { code, err } = await run("echo-client", ":1", "x", ...flag);
    assertEquals(code, 2);
    assertStringIncludes(err, "needs --tls beside it");
  }
});
