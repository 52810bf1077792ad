/** What the operator of a server is told, and how it is asked to read its files again. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { encodeFrame } from "../../lib/frame/mod.ts";
import { dial } from "../../lib/net/mod.ts";
import { connectBroker, hashToken } from "../../lib/pubsub/mod.ts";
import { deadline, pause, until } from "../support/deadline.ts";
import { InnerServer, script, ServerProgram, socktool } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { CA, NEXT_CA, NEXT_TLS, SERVER_TLS } from "../support/tls.ts";

const isWindows = Deno.build.os === "windows";

function authFile(...tokens: string[]): string {
  const all = { allow: [">"] };
  return JSON.stringify({
    tokens: tokens.map((token) => ({
      name: token,
      token: hashToken(token),
      publish: all,
      subscribe: all,
    })),
  });
}

/** A file for `--auth` that its owner alone can read. */
function writeAuth(scratch: Scratch, ...tokens: string[]): string {
  const path = scratch.write("auth.json", authFile(...tokens));
  if (!isWindows) Deno.chmodSync(path, 0o600);
  return path;
}

const connect = (server: Pick<ServerProgram, "words">, token: string) =>
  connectBroker({ transport: "tcp", hostname: "127.0.0.1", port: Number(server.words[1]) }, {
    credentials: { token },
    reconnect: false,
  });

Deno.test("a failed login is a warning", async () => {
  using scratch = new Scratch();
  await using server = await InnerServer.start(
    ["broker", ":0", "--auth", writeAuth(scratch, "right")],
  );
  for (let i = 0; i < 5; i++) await assertRejects(() => connect(server, "wrong"));
  await server.printed("warning: a login from 127.0.0.1 by a token failed\n");
  await server.printed("more logins from 127.0.0.1 failed\n");
  assert(!server.err.includes("can read it"), server.err);
  assert(!server.err.includes("unencrypted"), server.err);
});

const codeOf = (error: unknown) => (error as { code?: unknown } | undefined)?.code;

Deno.test({
  name: "--watch-auth has the auth file read again whenever it is another, whoever replaces it how",
  ignore: isWindows,
  fn: async () => {
    using scratch = new Scratch();
    const path = writeAuth(scratch, "one", "two");
    await using server = await InnerServer.start(["broker", ":0", "--auth", path, "--watch-auth"]);
    await using one = await connect(server, "one");
    await using two = await connect(server, "two");
    const waitUntilSaid = async (text: string, change: () => void) => {
      const before = server.err.length;
      change();
      await until(() => server.err.slice(before).includes(text), text);
    };
    await waitUntilSaid("was read again\n", () => writeAuth(scratch, "two", "three"));
    assertEquals(codeOf(await deadline(one.finished)), "unauthorized");
    await (await connect(server, "three")).close();
    await waitUntilSaid("stays in use\n", () => Deno.writeTextFileSync(path, "{"));
    await waitUntilSaid("stays in use\n", () => Deno.removeSync(path));
    // Replaced in one go, by another file and by a link.
    const next = scratch.write("next.json", authFile("two"));
    await waitUntilSaid("was read again\n", () => Deno.renameSync(next, path));
    await assertRejects(() => connect(server, "three"));
    const linked = scratch.write("linked.json", authFile("two", "four"));
    await waitUntilSaid("was read again\n", () => {
      Deno.removeSync(path);
      Deno.symlinkSync(linked, path);
    });
    await (await connect(server, "four")).close();
    assertEquals(await two.publishConfirmed("a", "x"), 0);
    const warnings = server.err.split("\n").filter((line) => line.includes("stays in use"));
    assertEquals(warnings.length, 2, server.err);
  },
});

Deno.test("--watch-auth without --auth is a mistake", async () => {
  for (const command of ["broker", "app-server"]) {
    const { code, err } = await socktool([command, ":0", "--watch-auth"]);
    assertEquals(code, 2);
    assertStringIncludes(err, "--auth");
  }
});

for (const [program, args] of [["broker", []], ["app-server", ["--writable"]]] as const) {
  Deno.test({
    name: `${program} warns of passwords in the clear, and of an auth file that all can read`,
    ignore: isWindows,
    fn: async () => {
      using scratch = new Scratch();
      const path = writeAuth(scratch, "right");
      Deno.chmodSync(path, 0o644);
      await using server = await InnerServer.start(
        [program, "0.0.0.0:0", "--auth", path, ...args],
      );
      assertStringIncludes(
        server.err,
        "warning: passwords and tokens come unencrypted to 0.0.0.0:",
      );
      assertStringIncludes(server.err, `warning: ${path}: every user of this machine can read it`);
    },
  });
}

Deno.test({
  name: "SIGHUP has the auth file read again; a broken one is told, and the old one stays",
  ignore: isWindows,
  fn: async () => {
    using scratch = new Scratch();
    const path = writeAuth(scratch, "old");
    await using server = await ServerProgram.start(script("cmd/broker.ts", ":0", "--auth", path));
    await using old = await connect(server, "old");

    writeAuth(scratch, "new");
    server.kill("SIGHUP");
    await server.printed("the --auth file was read again\n");
    await (await connect(server, "new")).close();
    await assertRejects(() => connect(server, "old"));
    // Who is connected by what is not in it any more is told.
    assertEquals(codeOf(await deadline(old.finished)), "unauthorized");

    for (const broken of ["{", "[]", '{"tokens":[{"name":"x","token":"plain"}]}', undefined]) {
      const before = server.err.length;
      if (broken === undefined) Deno.removeSync(path);
      else Deno.writeTextFileSync(path, broken);
      server.kill("SIGHUP");
      await until(() => server.err.slice(before).includes("stays in use\n"));
      assertStringIncludes(server.err.slice(before), path);
      await (await connect(server, "new")).close();
    }
    server.kill("SIGTERM");
    assertEquals((await server.finished()).code, 0);
  },
});

const TLS_SERVERS: readonly (readonly string[])[] = [
  ["echo-server"],
  ["multiconn-server"],
  ["multiconn-server", "--workers", "3"],
  ["app-server"],
  ["broker"],
];

for (const [program, ...args] of TLS_SERVERS) {
  const threads = args.length > 0;
  const name = [program, ...args].join(" ");
  Deno.test({
    name: `SIGHUP gives ${name} another certificate, and nobody is refused meanwhile`,
    ignore: isWindows || (threads && Deno.build.os !== "linux"),
    fn: async () => {
      using scratch = new Scratch();
      const [cert, key] = [scratch.at("cert.pem"), scratch.at("key.pem")];
      const write = (tls: { readonly cert: string; readonly key: string }) => {
        Deno.writeTextFileSync(cert, tls.cert);
        Deno.writeTextFileSync(key, tls.key);
      };
      write(SERVER_TLS);
      const tls = ["--tls-cert", cert, "--tls-key", key];
      await using server = await InnerServer.start([program!, ":0", ...args, ...tls]);
      const connect = (...caCerts: string[]) => dial(server.address, { tls: { caCerts } });
      using before = await connect(CA);
      let over = false;
      let connected = 0;
      // Trusts both, and connects again and again.
      const connecting = (async () => {
        for (; !over; connected++) {
          (await connect(CA, NEXT_CA)).close();
          await pause(3);
        }
      })();
      connecting.catch(() => {});
      await until(() => connected > 5);
      write(NEXT_TLS);
      server.hangUp();
      await server.printed("the certificate was read again\n");
      // The kernel picks the thread: with so many, each of three gets one.
      for (let i = 0; i < (threads ? 24 : 2); i++) {
        (await connect(NEXT_CA)).close();
        await assertRejects(() => connect(CA));
      }
      const broken = [
        { ...NEXT_TLS, cert: "nonsense" },
        { ...NEXT_TLS, key: "" },
        { ...NEXT_TLS, key: SERVER_TLS.key },
      ];
      for (const files of broken) {
        const told = server.err.length;
        const said = () => server.err.slice(told);
        write(files);
        server.hangUp();
        await until(() => said().includes("the certificate as it was stays in use\n"));
        assertStringIncludes(said(), "warning: cannot use ");
        for (let i = 0; i < (threads ? 12 : 1); i++) (await connect(NEXT_CA)).close();
      }
      over = true;
      await connecting;
      // Who was there before goes on.
      await before.write(encodeFrame({ header: { op: "ping", id: 1 } }));
      assert(await deadline(before.read(new Uint8Array(1_000))) !== null);
      before.close();
      server.interrupt();
      assertEquals((await server.finished()).code, 0);
    },
  });
}

for (const program of ["echo-server", "multiconn-server", "app-server"]) {
  Deno.test({
    name: `SIGHUP does not end ${program}`,
    ignore: isWindows,
    fn: async () => {
      await using server = await ServerProgram.start(script("cmd/socktool.ts", program, ":0"));
      server.kill("SIGHUP");
      await server.printed("there is no file to read again\n");
      server.kill("SIGTERM");
      assertEquals((await server.finished()).code, 0);
    },
  });
}
