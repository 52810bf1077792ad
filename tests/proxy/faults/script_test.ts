import process from "node:process";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { type Fault, parseScript, playScript, ScriptError } from "../../../lib/proxy/mod.ts";
import { until } from "../../support/deadline.ts";

Deno.test("parseScript() reads lines of a time and a fault, and comments", () => {
  const steps = parseScript(`# a poor network
0 both delay 80ms   # begins at once

1m30s up loss 2%\r
1m30s clear
2m up drop frame "note=a # b" # "quoted
`);
  assertEquals(steps.map(({ atMs, fault }) => [atMs, fault?.text]), [
    [0, "both delay 80ms"],
    [90_000, "up loss 2%"],
    [90_000, undefined],
    [120_000, 'up drop frame "note=a # b"'],
  ]);
});

Deno.test("parseScript() says which line is wrong", () => {
  const refused: readonly (readonly [string, number, string])[] = [
    ["both delay 80ms", 1, 'it begins with "both", not with a time'],
    ["\n5s", 2, "a fault, or clear, is missing"],
    ["5s clear\n4s clear", 2, "before the time of the line above"],
    ["5s clear\n6s up dely 3ms", 2, "did you mean delay?"],
  ];
  for (const [text, line, problem] of refused) {
    const error = assertThrows(() => parseScript(text), ScriptError);
    assertEquals(error.line, line);
    assert(error.message.includes(problem), error.message);
  }
});

Deno.test("playScript() adds faults at their time, and clears them, until it is ended", async () => {
  const seen: string[][] = [];
  const proxy = {
    faults: [] as readonly Fault[],
    set(faults: readonly Fault[]) {
      this.faults = faults;
      seen.push(faults.map(({ text }) => text));
    },
  };
  const playing = playScript(
    proxy,
    parseScript("1ms up blackhole\n20ms down blackhole\n40ms clear\n10m up refuse".replace(
      "up refuse",
      "both refuse",
    )),
  );
  await until(() => seen.length === 3);
  playing[Symbol.dispose]();
  assertEquals(seen, [["up blackhole"], ["up blackhole", "down blackhole"], []]);
});

Deno.test("playScript() waits for a step that is later than a timer can wait", async () => {
  const seen: string[] = [];
  const proxy = {
    faults: [],
    set: (faults: readonly Fault[]) => void seen.push(faults.map(({ text }) => text).join()),
  };
  using _playing = playScript(proxy, parseScript("20ms up blackhole\n30d clear\n300d clear"));
  await until(() => seen.length > 0);
  // A timer that is set for too long fires within a millisecond: before this one.
  await new Promise((resolve) => setTimeout(resolve, 5));
  assertEquals(seen, ["up blackhole"]);
});

Deno.test("playScript() carries out steps whose time has come, and the runtime warns of nothing", async () => {
  const warnings: string[] = [];
  const note = ({ name }: Error) => void warnings.push(name);
  process.on("warning", note);
  const seen: number[] = [];
  const proxy = {
    faults: [] as readonly Fault[],
    set: (faults: readonly Fault[]) => void seen.push(faults.length),
  };
  using _playing = playScript(proxy, parseScript("0 up blackhole\n0 clear\n0 both refuse"));
  await until(() => seen.length === 3);
  process.off("warning", note);
  assertEquals([seen, warnings], [[1, 0, 1], []]);
});
