import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { describeError } from "../../cmd/_cli/mod.ts";
import {
  ConnectionError,
  dial,
  formatAddress,
  listen,
  type UnixAddress,
} from "../../lib/net/mod.ts";
import { deadline } from "../support/deadline.ts";
import { Scratch } from "../support/scratch.ts";
import { SERVER_TLS } from "../support/tls.ts";

/** A test with the address of a socket that does not exist yet. */
function testUnix(name: string, fn: (address: UnixAddress, scratch: Scratch) => Promise<void>) {
  Deno.test({
    name,
    ignore: Deno.build.os === "windows",
    fn: async () => {
      using scratch = new Scratch();
      await fn({ transport: "unix", path: scratch.at("socket") }, scratch);
    },
  });
}

/** Leaves a socket's file as a killed server does: closing removes it, unless it has moved. */
function leaveBehind(path: string): void {
  const listener = Deno.listen({ transport: "unix", path: `${path}.moved` });
  Deno.renameSync(`${path}.moved`, path);
  listener.close();
  assert(exists(path));
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}

async function assertCode(promise: Promise<unknown>, operation: string, code: string) {
  const error = await assertRejects(() => deadline(promise), ConnectionError);
  assertEquals([error.operation, error.code], [operation, code], error.message);
}

testUnix("a Unix socket carries bytes, and its file goes when it is closed", async (address) => {
  const listener = await listen(address);
  assertEquals(listener.address, address);
  {
    using dialled = await dial(address);
    using accepted = await deadline(listener.accept());
    await dialled.write(new Uint8Array([1, 2, 3]));
    const buffer = new Uint8Array(10);
    assertEquals(await deadline(accepted.read(buffer)), 3);
  }
  assert(exists(address.path));
  listener.close();
  listener.close();
  assert(!exists(address.path));
});

testUnix("the socket of a server that died is replaced", async (address) => {
  leaveBehind(address.path);
  using listener = await listen(address);
  using _dialled = await dial(address);
  using _accepted = await deadline(listener.accept());
});

testUnix("the socket of a server that lives is left alone", async (address) => {
  using listener = await listen(address);
  await assertCode(listen(address), "listen", "address-in-use");
  using _probe = await deadline(listener.accept());
  using _dialled = await dial(address);
  using _accepted = await deadline(listener.accept());
});

testUnix("a file that is no socket is not touched", async (address, scratch) => {
  const path = scratch.write("notes.txt", "precious");
  await assertCode(listen({ ...address, path }), "listen", "not-a-socket");
  await assertCode(listen({ ...address, path: scratch.path }), "listen", "not-a-socket");
  assertEquals(Deno.readTextFileSync(path), "precious");
  Deno.symlinkSync(path, address.path);
  await assertCode(listen(address), "listen", "not-a-socket");
  assertEquals(Deno.readTextFileSync(path), "precious");
});

testUnix("a Unix socket that nobody serves is told as such", async (address, scratch) => {
  await assertCode(dial(address), "connect", "not-found");
  leaveBehind(address.path);
  await assertCode(dial(address), "connect", "refused");
  const missing = { ...address, path: scratch.at("no/folder/socket") };
  await assertCode(listen(missing), "listen", "not-found");
});

testUnix("a path that is too long says how long it may be", async (address, scratch) => {
  const most = Deno.build.os === "linux" ? 107 : 103;
  // Two bytes a letter: it is bytes that count.
  for (const path of [scratch.at("x".repeat(200)), `./${"\u00e9".repeat(most / 2 + 1)}`]) {
    const bytes = new TextEncoder().encode(path).length;
    for (const open of [listen, dial]) {
      const error = await assertRejects(
        () => deadline<unknown>(open({ ...address, path })),
        ConnectionError,
      );
      assertEquals(error.code, "bad-address", error.message);
      const told = describeError(error);
      assertStringIncludes(
        told,
        `the path has ${bytes} bytes, and a Unix socket's has at most ${most}`,
      );
      assertStringIncludes(told, "take a shorter one");
    }
  }
});

testUnix("what is no socket is told by what it is", async (address, scratch) => {
  Deno.symlinkSync(scratch.at("nowhere"), scratch.at("link"));
  Deno.mkdirSync(scratch.at("folder"));
  const cases: [path: string, what: string][] = [
    [scratch.write("notes.txt", "precious"), "a file"],
    [scratch.at("folder"), "a folder"],
    ["/dev/null", "a device or a pipe"],
  ];
  for (const [path, what] of cases) {
    for (
      const [open, advice] of [[listen, "take another path"], [dial, "server's socket"]] as const
    ) {
      const error = await assertRejects(
        () => deadline<unknown>(open({ ...address, path })),
        ConnectionError,
      );
      assertEquals(error.code, "not-a-socket", error.message);
      const told = describeError(error);
      assertStringIncludes(told, `there is ${what}, not a socket (`);
      assertStringIncludes(told, advice);
      assert(!told.includes("remove"), told);
    }
  }
  const link = await assertRejects(() => listen({ ...address, path: scratch.at("link") }));
  assertStringIncludes(describeError(link), "a link that leads nowhere");
});

Deno.test({
  name: "an abstract name carries bytes, and is no file",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const name = `socktool-test-${crypto.randomUUID()}`;
    const text = `unix:@${name}`;
    const listener = await listen(text);
    assertEquals(formatAddress(listener.address), text);
    // The kernel knows it under that name.
    assertStringIncludes(Deno.readTextFileSync("/proc/net/unix"), ` @${name}\n`);
    {
      using dialled = await dial(text);
      using accepted = await deadline(listener.accept());
      await dialled.write(new Uint8Array([1, 2, 3]));
      assertEquals(await deadline(accepted.read(new Uint8Array(10))), 3);
    }
    await assertCode(listen(text), "listen", "address-in-use");
    listener.close();
    assert(!exists(`@${name}`));
    await assertCode(dial(text), "connect", "refused");
    using again = await listen(text);
    assertEquals(formatAddress(again.address), text);
    const long = await assertRejects(() => listen(`unix:@${"x".repeat(108)}`), ConnectionError);
    assertStringIncludes(
      long.message,
      "the name has 108 bytes, and a Unix socket's has at most 107",
    );
  },
});

testUnix("TLS on a Unix socket is refused", async (address) => {
  await assertCode(listen(address, { tls: SERVER_TLS }), "listen", "not-supported");
  using _listener = await listen(address);
  await assertCode(dial(address, { tls: {} }), "connect", "not-supported");
});

testUnix("dialling a Unix socket heeds its signal", async (address) => {
  using listener = await listen(address);
  const abort = new AbortController();
  const dialling = dial(address, { signal: abort.signal });
  abort.abort("enough");
  assertEquals(await deadline(dialling.catch((error) => error)), "enough");
  // The connection that came all the same was closed.
  using accepted = await deadline(listener.accept());
  assertEquals(await deadline(accepted.read(new Uint8Array(1))), null);
});
