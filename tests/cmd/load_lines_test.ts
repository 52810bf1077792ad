import { assertEquals, assertThrows } from "@std/assert";
import type { LoadSettings } from "../../lib/load/mod.ts";
import { UsageError } from "../../cmd/_cli/mod.ts";
import { parseAnswer } from "../../cmd/_load/answer_flag.ts";
import { differences } from "../../cmd/_load/load_lines.ts";
import { parsePercentiles } from "../../cmd/_load/percentiles_flag.ts";
import { thresholdsOf } from "../../cmd/_load/run_measured.ts";

Deno.test("what two runs were asked for is told where it differs", () => {
  const settings: LoadSettings = {
    target: "127.0.0.1:1",
    tls: false,
    connections: 50,
    message_bytes: [64],
    answer: "echo",
    warmup_s: 0,
    pipeline: 1,
    reconnect: false,
    verify: false,
    workers: 1,
  };
  assertEquals(differences(settings, { ...settings }), []);
  assertEquals(differences({ ...settings, count: 3 }, { ...settings, workers: 2 }), [
    "workers was 1, is 2",
    "count was 3, is not given",
  ]);
});

Deno.test("--fail-if suggests the figure that was meant", () => {
  assertEquals(thresholdsOf(["p95>5ms"])[0]!.limit, 5_000);
  assertThrows(() => thresholdsOf(["erors>0"]), UsageError, "did you mean errors?");
});

Deno.test("--answer reads every form, with escapes as in C", () => {
  assertEquals(["echo", "close", "none"].map(parseAnswer), ["echo", "close", "none"]);
  assertEquals(parseAnswer("until:\\r\\n"), { until: Uint8Array.of(13, 10) });
  assertEquals(parseAnswer("until:\n"), { until: Uint8Array.of(10) });
  assertEquals(parseAnswer("until:\\x00é\\\\"), { until: Uint8Array.of(0, 0xc3, 0xa9, 92) });
  assertEquals(parseAnswer("bytes:1KiB"), { bytes: 1_024 });
  assertEquals(parseAnswer("length:u16"), { length: "u16be", inclusive: false });
  assertEquals(parseAnswer("length:u32le:inclusive"), { length: "u32le", inclusive: true });
  for (
    const text of [
      ...["", "ECHO", "until", "until:", "until:\\q", "until:\\", "bytes:0", "bytes:-1", "bytes:x"],
      ...["length:", "length:u24", "length:u32be:exclusive", "length:toString", "line"],
    ]
  ) assertThrows(() => parseAnswer(text), UsageError, "--answer: cannot use", text);
});

Deno.test("--percentiles reads a list", () => {
  assertEquals(parsePercentiles("50, p95,99.95,100"), [50, 95, 99.95, 100]);
  for (const list of ["", "50,", "0", "101", "p", "1e1", "-5"]) {
    assertThrows(() => parsePercentiles(list), UsageError, "--percentiles: ");
  }
});
