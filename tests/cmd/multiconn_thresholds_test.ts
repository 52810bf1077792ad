import { assertEquals, assertThrows } from "@std/assert";
import type { LoadSettings, LoadSummary } from "../../lib/load/mod.ts";
import { UsageError } from "../../cmd/_cli/mod.ts";
import { differences } from "../../cmd/_load/load_lines.ts";
import { missedThresholds, parseThreshold } from "../../cmd/_load/thresholds.ts";

const times = {
  min: 10,
  mean: 100,
  p50: 90,
  p90: 400,
  p99: 6_210,
  "p99.9": 7_000,
  "p99.99": 8_000,
  max: 9_000,
};

const summary: LoadSummary = {
  connections: 50,
  messages: 1_000,
  bytes: 64_000,
  errors: 2,
  duration_s: 2,
  messages_per_s: 500,
  bytes_per_s: 32_000,
  mode: "closed loop",
  latency_us: times,
  errors_by_kind: { reset: 2 },
  connections_failed: 0,
  clamped: 0,
};

function missed(text: string): string[] {
  return missedThresholds([parseThreshold(text)], summary);
}

Deno.test("--fail-if says which figure missed, and by how much", () => {
  assertEquals(missed("p99>5ms"), ["p99 is 6.21 ms, above 5 ms by 1.21 ms (24.2 %)"]);
  assertEquals(missed("messages_per_s < 1k"), [
    "messages_per_s is 500 messages/s, below 1000 messages/s by 500 messages/s (50 %)",
  ]);
  assertEquals(missed("errors>0"), ["errors is 2, above 0 by 2"]);
  assertEquals(missed("errors.reset>=2"), ["errors.reset is 2, not below 2"]);
  assertEquals(missed("bytes_per_s<1MiB/s").length, 1);
  assertEquals(missed("p50>1us"), ["p50 is 90 µs, above 1 µs by 89 µs"]);
});

Deno.test("--fail-if is silent where the condition does not hold", () => {
  for (const text of ["p99>7ms", "p99.9>=7.1ms", "errors>2", "errors.wrong>0", "duration_s>3s"]) {
    assertEquals(missed(text), []);
  }
});

Deno.test("--fail-if on a figure of the open loop is missed by a closed one", () => {
  assertEquals(missed("service.p99>1ms"), ["service.p99 was not measured: it needs --rate"]);
});

Deno.test("--fail-if on a latency is missed where no message came back", () => {
  const nothing = { ...summary, messages: 0, latency_us: { ...times, p99: 0 } };
  const missed = missedThresholds(["p99>5ms", "messages<1"].map(parseThreshold), nothing);
  assertEquals(missed, [
    "p99 was not measured: no message came back",
    "messages is 0, below 1 by 1 (100 %)",
  ]);
});

Deno.test("what two runs were asked for is told where it differs", () => {
  const settings: LoadSettings = {
    target: "127.0.0.1:1",
    tls: false,
    connections: 50,
    message_bytes: [64],
    warmup_s: 0,
    pipeline: 1,
    verify: false,
    workers: 1,
  };
  assertEquals(differences(settings, { ...settings }), []);
  assertEquals(differences({ ...settings, count: 3 }, { ...settings, workers: 2 }), [
    "workers was 1, is 2",
    "count was 3, is not given",
  ]);
});

Deno.test("--fail-if refuses what it cannot read, and says what it could", () => {
  for (
    const [text, message] of [
      ["p99", "write a figure, < or >, and a value"],
      ["p99>", "write a figure"],
      ["p98>5ms", "did you mean p9"],
      ["p99>5", "a time with its unit"],
      ["p99>fast", "a time with its unit"],
      ["errors>0.5", "a count"],
      ["messages_per_s<-1", "a rate"],
      ["constructor>1", "there is no figure constructor"],
    ] as const
  ) {
    assertThrows(() => parseThreshold(text), UsageError, message);
  }
});
