import { assert, assertEquals } from "@std/assert";
import { LiveLine } from "../../../cmd/_cli/live_line.ts";
import { Log, type LogLevel } from "../../../cmd/_cli/log.ts";
import { createStyle } from "../../../cmd/_cli/terminal_text.ts";
import { FakeHost } from "./fake_host.ts";

function logged(level: LogLevel, host = new FakeHost()): string {
  const log = new Log(host.stderr, level, createStyle(false));
  log.detail("detail");
  log.info("info");
  log.warn("warn");
  log.error("error");
  return host.errText;
}

Deno.test("Log writes what its level lets through", () => {
  assertEquals(logged("quiet"), "warning: warn\nerror: error\n");
  assertEquals(logged("normal"), "info\nwarning: warn\nerror: error\n");
  assertEquals(logged("verbose"), "detail\ninfo\nwarning: warn\nerror: error\n");
});

Deno.test("Log writes whole lines through partial writes", () => {
  assertEquals(
    logged("normal", new FakeHost([], { chunk: 3 })),
    "info\nwarning: warn\nerror: error\n",
  );
});

Deno.test("Log escapes what a peer put into a message, on a terminal", () => {
  const host = new FakeHost([], { terminal: true });
  new Log(host.stderr, "normal", createStyle(true)).warn("\x1b[2J");
  assertEquals(host.errText, "\x1b[33mwarning:\x1b[39m \\x1b[2J\n");
});

Deno.test("Log does not fail where stderr is gone", () => {
  const gone = {
    writeSync: () => {
      throw new Deno.errors.BrokenPipe();
    },
    isTerminal: () => false,
  };
  new Log(gone, "normal", createStyle(false)).error("unheard");
});

Deno.test("LiveLine never writes where stderr is no terminal, or nobody wants it", () => {
  const file = new FakeHost();
  const quiet = new FakeHost([], { terminal: true });
  for (
    const live of [
      new LiveLine(file.stderr, true, () => 80),
      new LiveLine(quiet.stderr, false, () => 80),
    ]
  ) {
    live.show("50 %");
    live.clear();
    assertEquals(live.enabled, false);
  }
  assertEquals(file.errText + quiet.errText, "");
});

Deno.test("LiveLine keeps to one line, steps aside for messages, and goes in the end", () => {
  const host = new FakeHost([], { terminal: true, columns: 11 });
  let time = 0;
  const live = new LiveLine(host.stderr, true, host.columns, () => time);
  const log = new Log(host.stderr, "normal", createStyle(false), live);
  live.show("indexed 4000 of 9000 documents");
  time = 99;
  live.show(() => "this comes too soon after it");
  time = 100;
  live.show("INDEXED 5000 of 9000 documents");
  log.info("skipped");
  live.clear();
  log.info("done");
  const wipe = "\r\x1b[2K";
  assertEquals(
    host.errText,
    `${wipe}indexed 40${wipe}INDEXED 50${wipe}skipped\n${wipe}INDEXED 50${wipe}done\n`,
  );
});

Deno.test("Log writes JSON objects that hold whatever a message says", () => {
  const host = new FakeHost([], { terminal: true });
  const log = new Log(host.stderr, "normal", createStyle(true), undefined, "json");
  log.detail("left out");
  log.warn('a "line"\n\x1b[31mof a peer', { connection: 7 });
  log.error("error");
  const lines = host.errText.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ time: _, ...rest }) => rest), [
    { level: "warn", message: 'a "line"\n\x1b[31mof a peer', connection: 7 },
    { level: "error", message: "error" },
  ]);
  for (const { time } of lines) assert(Date.parse(time) <= Date.now(), time);
});
