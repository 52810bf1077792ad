// deno-lint-ignore-file no-console
import { assertEquals, assertMatch } from "@std/assert";
import { guard, redirectErrors, reportError } from "../../lib/base/report.ts";

/** Runs something, and keeps what it prints with `console.error`. */
function printedBy(work: () => void): unknown[][] {
  const printed: unknown[][] = [];
  const original = console.error;
  console.error = (...parts) => void printed.push(parts);
  try {
    work();
  } finally {
    console.error = original;
  }
  return printed;
}

/** Runs something at a time of the test's choice, in milliseconds. */
function atTime(ms: number, work: () => void): void {
  const original = performance.now;
  performance.now = () => ms;
  try {
    work();
  } finally {
    performance.now = original;
  }
}

Deno.test("reportError() prints what failed and the error, where there is no reporter", () => {
  const error = new Error("no");
  const printed = printedBy(() => atTime(1e9, () => reportError(error, "A callback failed")));
  assertEquals(printed, [["A callback failed:", error]]);
});

Deno.test("an error that the console cannot show is told all the same", () => {
  const error = Object.defineProperty(new Error(), "message", {
    get(): never {
      throw new Error("read");
    },
  });
  const original = console.error;
  const printed: unknown[] = [];
  console.error = (...parts) => {
    for (const part of parts) printed.push(part instanceof Error ? part.message : part);
  };
  try {
    atTime(15e8, () => reportError(error, "A callback failed"));
  } finally {
    console.error = original;
  }
  assertEquals(printed.at(-1), "A callback failed: an error that cannot be shown");
});

Deno.test("the console shows 20 errors a second, and says how many it left out", () => {
  const printed = printedBy(() => {
    atTime(2e9, () => {
      for (let i = 0; i < 50; i++) reportError(i, "A callback failed");
    });
    atTime(2e9 + 999, () => reportError("same second", "A callback failed"));
    atTime(2e9 + 1_000, () => reportError("next second", "A callback failed"));
  });
  assertEquals(printed.length, 23);
  assertEquals(printed.slice(0, 20).map(([, error]) => error), [...Array(20).keys()]);
  assertEquals(printed.slice(20), [
    ["More errors come too fast to be shown"],
    ["31 errors were not shown"],
    ["A callback failed:", "next second"],
  ]);
});

Deno.test("redirectErrors() tells its reporter of every error, and the console of none", () => {
  const told: unknown[] = [];
  const printed = printedBy(() => {
    using _ = redirectErrors((error, what) => told.push([what, error]));
    for (let i = 0; i < 50; i++) reportError(i, "A callback failed");
  });
  assertEquals([told.length, printed.length], [50, 0]);
  assertEquals(told[49], ["A callback failed", 49]);
});

Deno.test("the reporter that came last is told, in whatever order they go", () => {
  const told: string[] = [];
  const as = (name: string) => redirectErrors((_, what) => told.push(`${name}: ${what}`));
  const first = as("first");
  const second = as("second");
  reportError(0, "a");
  first[Symbol.dispose]();
  reportError(0, "b");
  first[Symbol.dispose]();
  second[Symbol.dispose]();
  assertEquals(told, ["second: a", "second: b"]);
  const printed = printedBy(() => atTime(3e9, () => reportError(0, "c")));
  assertEquals(printed, [["c:", 0]]);
});

Deno.test("a reporter that is given twice counts until both have gone", () => {
  let count = 0;
  const reporter = () => void count++;
  const first = redirectErrors(reporter);
  const second = redirectErrors(reporter);
  reportError(0, "a");
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  reportError(0, "b");
  second[Symbol.dispose]();
  const printed = printedBy(() => atTime(4e9, () => reportError(0, "c")));
  assertEquals([count, printed.length], [2, 1]);
});

Deno.test("an error whose reporter fails is on the console, and so is the failure", () => {
  const failure = new Error("broken reporter");
  const printed = printedBy(() =>
    atTime(5e9, () => {
      using _ = redirectErrors(() => {
        throw failure;
      });
      reportError("lost?", "A callback failed");
    })
  );
  assertEquals(printed, [
    ["A callback failed:", "lost?"],
    ["The reporter of errors failed:", failure],
  ]);
});

Deno.test("guard() reports what a function throws, and what its promise rejects with", async () => {
  const told: unknown[] = [];
  using _ = redirectErrors((error, what) => told.push([what, error]));
  let calls = 0;
  guard("a", () => calls++);
  guard("b", () => Promise.resolve());
  guard("c", () => {
    throw "thrown";
  });
  guard("d", () => Promise.reject("rejected"));
  guard("e", async () => {
    await Promise.resolve();
    throw "later";
  });
  // Not all that can be awaited is a promise of this realm.
  guard("f", () => ({
    then(_: unknown, reject: (reason: unknown) => void) {
      reject("thenable");
      throw "once";
    },
  }));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assertEquals(calls, 1);
  const expected = [["c", "thrown"], ["d", "rejected"], ["e", "later"], ["f", "thenable"]];
  assertEquals(told.toSorted(), expected);
});

Deno.test("an error that nobody listens to is on stderr, with its stack and cause", async () => {
  const url = new URL("../../lib/base/report.ts", import.meta.url);
  const program = `import { reportError } from "${url}";
    reportError(new Error("outer", { cause: new TypeError("inner") }), "A callback failed");`;
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", program],
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder().decode(stderr);
  assertEquals([success, stdout.length], [true, 0]);
  assertMatch(text, /^A callback failed: Error: outer\n {4}at .*\[cause\]: TypeError: inner\n/s);
});
