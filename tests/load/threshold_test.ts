import { assertEquals, assertThrows } from "@std/assert";
import { Latencies, loadHistogramLibrary } from "../../lib/base/latencies.ts";
import {
  type LoadSummary,
  type Measured,
  missedThresholds,
  parseThreshold,
  ThresholdError,
} from "../../lib/load/mod.ts";

const library = await loadHistogramLibrary();

/** A run with these latencies, in milliseconds, of which 2 of 1,000 messages failed. */
function runOf(ms: readonly number[], summary: Partial<LoadSummary> = {}): Measured {
  const latency = new Latencies(library);
  for (const each of ms) latency.record(each);
  return {
    latency,
    summary: {
      connections: 50,
      due: 1_000,
      sent: 999,
      answered: 998,
      unanswered: 1,
      messages: 998,
      bytes: 64_000,
      errors: 20,
      duration_s: 2,
      messages_per_s: 500,
      bytes_per_s: 32_000,
      mode: "closed loop",
      latency_us: latency.figures(),
      errors_by_kind: { reset: 2 },
      first_errors: {},
      connections_failed: 0,
      clamped: 0,
      ...summary,
    },
  };
}

const RUN = runOf(Array.from({ length: 10_000 }, (_, i) => (i + 1) / 1_000));

function missed(text: string, run = RUN): string[] {
  return missedThresholds([parseThreshold(text)], run).map(({ message }) => message);
}

Deno.test("a threshold says which figure missed it, and by how much", () => {
  assertEquals(missed("max>8ms"), ["max is 10 ms, above 8 ms by 2 ms (25 %)"]);
  assertEquals(missed("messages_per_s < 1k"), [
    "messages_per_s is 500 messages/s, below 1000 messages/s by 500 messages/s (50 %)",
  ]);
  assertEquals(missed("errors>0"), ["errors is 20, above 0 by 20"]);
  assertEquals(missed("errors.reset>=2"), ["errors.reset is 2, not below 2"]);
  assertEquals(missed("errors.reset == 2"), ["errors.reset is 2, equal to 2"]);
  assertEquals(missed("bytes_per_s<1MiB/s").length, 1);
});

Deno.test("a threshold takes any percentile, and percentages of the messages that were due", () => {
  assertEquals(missed("p95>9.4ms").length, 1);
  assertEquals(missed("p95>9.6ms"), []);
  assertEquals(missed("p99.95>9.9ms").length, 1);
  assertEquals(missed("errors>1%"), ["errors is 2 %, above 1 % by 1 %"]);
  assertEquals(missed("errors>2%"), []);
  assertEquals(missed("answered<99.9%").length, 1);
  assertEquals(missed("not_sent==0.1%").length, 1);
});

Deno.test("a threshold is silent where the condition does not hold", () => {
  for (const text of ["p99>11ms", "errors>20", "errors.wrong>0", "duration_s>3s", "due==999"]) {
    assertEquals(missed(text), []);
  }
});

Deno.test("a threshold on what was not measured is missed", () => {
  assertEquals(missed("service.p95>1ms"), ["service.p95 was not measured: it needs a rate"]);
  const nothing = runOf([], { due: 0, answered: 0, messages: 0 });
  assertEquals(
    ["p99>5ms", "p98>5ms", "errors>1%", "messages<1"].flatMap((text) => missed(text, nothing)),
    [
      "p99 was not measured: there was no message",
      "p98 was not measured: there was no message",
      "errors was not measured: there was no message",
      "messages is 0, below 1 by 1 (100 %)",
    ],
  );
});

Deno.test("parseThreshold() refuses what it cannot read, and says what it could", () => {
  for (
    const [text, message] of [
      ["p99", "write a figure, one of > < >= <= ==, and a value"],
      ["p99>", "write a figure"],
      ["p99=5ms", "write a figure"],
      ["p0>5ms", "there is no figure p0"],
      ["p101>5ms", "there is no figure p101"],
      ["p99>5", "a time with its unit"],
      ["p99>fast", "a time with its unit"],
      ["p99>5%", "p99 is no count of messages"],
      ["errors>0.5", "a count"],
      ["errors>x%", "x% is no percentage"],
      ["messages_per_s<-1", "a rate"],
      ["constructor>1", "there is no figure constructor"],
      ["toString.p99>1ms", "write a figure"],
    ] as const
  ) {
    assertThrows(() => parseThreshold(text), ThresholdError, message);
  }
});
