import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { Output } from "../../../cmd/_cli/output.ts";
import { escapeForTerminal } from "../../../cmd/_cli/mod.ts";
import { FakeHost } from "./fake_host.ts";
import { anyCharacter } from "../../support/any_character.ts";

Deno.test("Output writes the lines of one turn together, and without being flushed", async () => {
  const host = new FakeHost();
  const out = new Output(host.stdout);
  for (let i = 0; i < 1000; i++) out.line(`line ${i}`);
  assertEquals(host.writes, 0);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(host.writes, 1);
  assertEquals(host.outText.split("\n").length, 1001);
});

Deno.test("Output writes lines that come during a write after it", async () => {
  const host = new FakeHost();
  const out = new Output(host.stdout);
  const expected: string[] = [];
  for (let i = 0; i < 50; i++) {
    out.line(`line ${i}`);
    expected.push(`line ${i}\n`);
    for (let j = 0; j < i % 5; j++) await undefined;
  }
  await out.flush();
  assertEquals(host.outText, expected.join(""));
});

Deno.test("Output keeps the order of texts, bytes and JSON through partial writes", async () => {
  const write = fc.oneof(
    fc.string({ unit: "grapheme" }).map((text) => ({ text })),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => ({ bytes: bytes.map((b) => b & 0x7f) })),
    fc.jsonValue().map((json) => ({ json })),
  );
  const property = fc.asyncProperty(
    fc.array(write),
    fc.integer({ min: 1, max: 7 }),
    async (writes: { text?: string; bytes?: Uint8Array; json?: unknown }[], chunk) => {
      const host = new FakeHost([], { chunk });
      const out = new Output(host.stdout);
      let expected = "";
      for (const { text, bytes, json } of writes) {
        if (text !== undefined) out.line(text);
        else if (bytes !== undefined) out.bytes(bytes);
        else out.json(json);
        expected += text !== undefined
          ? `${text}\n`
          : bytes !== undefined
          ? new TextDecoder().decode(bytes)
          : `${JSON.stringify(json)}\n`;
      }
      await out.flush();
      assertEquals(host.outText, expected);
    },
  );
  await fc.assert(property, { numRuns: 50 });
});

Deno.test("Output does not keep a view of the caller's bytes", async () => {
  const host = new FakeHost();
  const out = new Output(host.stdout);
  const bytes = new TextEncoder().encode("kept\n");
  out.bytes(bytes);
  bytes.fill(0);
  await out.flush();
  assertEquals(host.outText, "kept\n");
});

Deno.test("Output asks its caller to wait, until what waits behind a write is being written", async () => {
  const host = new FakeHost();
  let written = 0;
  let taken = Promise.withResolvers<void>();
  const out = new Output({
    ...host.stdout,
    async write(bytes) {
      await taken.promise;
      taken = Promise.withResolvers();
      written += bytes.length;
      return bytes.length;
    },
  });
  const line = "x".repeat(1_023);
  let wait: Promise<void> | undefined;
  const fill = () => {
    let lines = 0;
    for (wait = undefined; wait === undefined; lines++) wait = out.line(line);
    return lines;
  };
  assertEquals(fill(), 65);
  await wait;
  // The first is being written, and there is room for as much again.
  assertEquals([fill(), written], [65, 0]);
  for (let writes = 1; writes < 4; writes++) {
    taken.resolve();
    await wait;
    assertEquals([fill(), written], [65, writes * 65 * 1_024]);
  }
  for (let flushed = false; !flushed;) {
    void out.flush().then(() => flushed = true);
    taken.resolve();
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  assertEquals(written, 5 * 65 * 1_024);
});

Deno.test("Output says once that its reader has gone, and drops the rest", async () => {
  const errors: unknown[] = [];
  const broken = new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  const host = new FakeHost([], { writeError: broken });
  const out = new Output(host.stdout, { onClosed: (error) => errors.push(error) });
  out.line("a");
  await out.flush();
  assert(out.closed);
  assertEquals(out.line("b".repeat(2_000_000)), undefined);
  await out.flush();
  assertEquals(errors, [broken]);
});

Deno.test("Output tries again where the sink has no room yet", async () => {
  const host = new FakeHost();
  let refusals = 3;
  const out = new Output({
    ...host.stdout,
    write: (bytes) => {
      if (refusals-- > 0) throw new Deno.errors.WouldBlock("Resource temporarily unavailable");
      return host.stdout.write(bytes);
    },
  });
  out.line("through");
  await out.flush();
  assertEquals(host.outText, "through\n");
});

Deno.test("Output makes peers' texts safe on a terminal, and only there", async () => {
  const evil = "\x1b]0;title\x07 \x9b2J \u202etxt";
  const terminal = new FakeHost([], { terminal: true });
  const onTerminal = new Output(terminal.stdout);
  assertEquals(onTerminal.safe(evil), "\\x1b]0;title\\x07 \\x9b2J \\u202etxt");
  onTerminal.json({ evil });
  await onTerminal.flush();
  assertEquals(JSON.parse(terminal.outText), { evil });
  assertEquals(escapeForTerminal(terminal.outText), terminal.outText);
  assertEquals(new Output(new FakeHost().stdout).safe(evil), evil);
});

Deno.test("escapeForTerminal() leaves no control character but line feed and tab", () => {
  assertEquals(escapeForTerminal("a\tb\nc\r\0é漢😀"), "a\tb\nc\\x0d\\x00é漢😀");
  fc.assert(fc.property(fc.string({ unit: anyCharacter }), (text) => {
    assert(!/[\p{Cc}]/u.test(escapeForTerminal(text).replace(/[\n\t]/g, "")));
  }));
});
