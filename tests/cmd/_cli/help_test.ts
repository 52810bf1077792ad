import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { defineCommand, quietFlag, serverTlsFlags } from "../../../cmd/_cli/mod.ts";
import { renderHelp } from "../../../cmd/_cli/help.ts";
import { createStyle } from "../../../cmd/_cli/terminal_text.ts";
import { twoColumns, wrap } from "../../../cmd/_cli/wrap.ts";

const command = defineCommand({
  name: "app-server",
  summary: "answer searches over a folder of texts",
  role: "server",
  arguments: {
    address: { type: "address", default: "127.0.0.1:5634", help: "where to listen" },
    extra: { type: "string", optional: true, repeat: true, help: "more" },
  },
  flags: {
    data: { type: "path", repeat: true, short: "d", help: "a folder or file to serve" },
    "idle-timeout": { type: "duration", default: "10m", help: "close a connection that is silent" },
    slow: { type: "choice", choices: ["drop", "block"], help: "what happens to slow clients" },
    server: { type: "address", env: "SOCKTOOL_SERVER", help: "the server" },
    inner: { type: "boolean", hidden: true, help: "for tests" },
    ...quietFlag,
    ...serverTlsFlags,
  },
  examples: [["socktool app-server --data docs", "serve a folder"]],
  notes: ["It serves three entries of the tutorial where no data is given."],
  exitCodes: { 3: "a threshold was missed" },
  run() {},
});

Deno.test("renderHelp() says what it does, then examples, arguments, flags and exit codes", () => {
  assertEquals(
    renderHelp(command),
    `socktool app-server: answer searches over a folder of texts

Examples:
  # serve a folder
  socktool app-server --data docs

Usage:
  socktool app-server [ADDRESS] [EXTRA…] [flags]

Arguments:
  ADDRESS  where to listen (HOST PORT, HOST:PORT, [IPV6]:PORT or unix:PATH;
           default: 127.0.0.1:5634)
  EXTRA    more

Flags:
  -d, --data PATH          a folder or file to serve (repeatable)
      --idle-timeout TIME  close a connection that is silent (default: 10m)
      --slow drop|block    what happens to slow clients
      --server ADDRESS     the server (or SOCKTOOL_SERVER in the environment)

Output flags:
  -q, --quiet              print no messages except warnings and errors

TLS flags:
      --tls-cert FILE      serve TLS with this certificate chain (PEM)
      --tls-key FILE       the certificate's private key (PEM)

General flags:
      --no-color           print without colour, as if NO_COLOR were set; colour
                           is only for terminals anyway
      --debug              show the stack trace of an error
  -h, --help               show this help

It serves three entries of the tutorial where no data is given.

Exit codes:
  0  ended as it was asked to
  1  failed
  2  wrong usage
  3  a threshold was missed
`,
  );
});

Deno.test("renderHelp() keeps within the terminal's width, however narrow or wide", () => {
  for (const columns of [40, 50, 80, 120, 200]) {
    const lines = renderHelp(command, { columns }).split("\n");
    const tooLong = lines.filter((line) => line.length > columns && !line.includes("socktool app"));
    assertEquals(tooLong, [], `${columns} columns`);
  }
});

Deno.test("renderHelp() has the same text with style as without", () => {
  const styled = renderHelp(command, { style: createStyle(true) });
  assertStringIncludes(styled, "\x1b[1mExamples:\x1b[22m");
  // deno-lint-ignore no-control-regex
  assertEquals(styled.replace(/\x1b\[\d+m/g, ""), renderHelp(command));
});

Deno.test("renderHelp() explains every flag that is not hidden", () => {
  const help = renderHelp(command);
  for (const [name, spec] of Object.entries(command.flags)) {
    const hidden = "hidden" in spec && spec.hidden;
    assertEquals(help.includes(`--${name === "color" ? "no-color" : name}`), !hidden, name);
  }
});

Deno.test("wrap() keeps all words in order and within the width", () => {
  fc.assert(
    fc.property(fc.lorem({ maxCount: 30 }), fc.integer({ min: 12, max: 60 }), (text, width) => {
      const lines = wrap(text, width);
      assertEquals(lines.join(" "), text.split(/\s+/).join(" "));
      assert(lines.every((line) => line.length <= width || !line.includes(" ")));
    }),
  );
});

Deno.test("twoColumns() puts the text below a term that is too long", () => {
  const long = "--a-flag-with-a-very-long-name-indeed VALUE";
  assertEquals(twoColumns([["-x", "short"], [long, "long"]], { width: 80 }), [
    "  -x  short",
    `  ${long}`,
    "      long",
  ]);
});
