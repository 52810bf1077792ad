import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type AnyCommand,
  type Context,
  defineCommand,
  outputFlags,
  runCommand,
  UsageError,
} from "../../../cmd/_cli/mod.ts";
import { redirectErrors, reportError } from "../../../lib/base/report.ts";
import { pause } from "../../support/deadline.ts";
import { FakeHost, type FakeOptions } from "./fake_host.ts";

type Work = (context: Context) => Promise<number | void> | number | void;

function commandThat(work: Work, role: "server" | "client" = "client"): AnyCommand {
  return defineCommand({
    name: "demo",
    summary: "test",
    role,
    flags: { ...outputFlags },
    examples: [],
    run: (_input, context) => work(context),
  });
}

async function run(work: Work, args: string[] = [], options: FakeOptions = {}) {
  const host = new FakeHost(args, options);
  const code = await runCommand(commandThat(work), host);
  return { code, out: host.outText, err: host.errText, host };
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener("abort", () => reject(signal.reason), { once: true })
  );
}

Deno.test("runCommand() flushes what was printed, and exits 0", async () => {
  const { code, out, err, host } = await run(({ out, log }) => {
    out.line("data");
    log.info("message");
  });
  assertEquals([code, out, err], [0, "data\n", "message\n"]);
  assertEquals(host.listeners.size, 0);
});

Deno.test("runCommand() exits with the code that run returns", async () => {
  assertEquals((await run(() => 3)).code, 3);
  assertEquals((await run(() => Promise.resolve(1))).code, 1);
});

Deno.test("runCommand() prints help on stdout, whatever else the command line says", async () => {
  for (const args of [["--help"], ["-h", "--nonsense"], ["--nonsense", "--help"], ["-vh"]]) {
    const { code, out, err } = await run(() => 1, args);
    assertEquals([code, err], [0, ""]);
    assertStringIncludes(out, "socktool demo: test");
  }
  assertEquals((await run(() => 1, ["--", "--help"])).code, 2);
});

Deno.test("runCommand() exits 2 on wrong usage, and says where help is", async () => {
  const { code, out, err } = await run(() => 0, ["--jsom"]);
  assertEquals([code, out], [2, ""]);
  assertEquals(
    err,
    "error: unknown flag --jsom (did you mean --json?)\nrun 'socktool demo --help' for help\n",
  );
  const thrown = await run(() => {
    throw new UsageError("--a makes no sense without --b");
  });
  assertEquals(thrown.code, 2);
  assertStringIncludes(thrown.err, "error: --a makes no sense without --b\n");
});

Deno.test("runCommand() exits 1 with one line for an error, and keeps what was printed", async () => {
  const fail: Work = async ({ out }) => {
    out.line("so far");
    await Deno.readTextFile("/no/such/file");
  };
  const { code, out, err } = await run(fail);
  assertEquals([code, out], [1, "so far\n"]);
  assertEquals(err, "error: cannot read /no/such/file: no such file or folder\n");
});

Deno.test("runCommand() shows stacks and causes with --debug only", async () => {
  const fail: Work = () => {
    throw new Error("outer", { cause: new TypeError("inner") });
  };
  assertEquals((await run(fail)).err, "error: outer\n");
  const { err } = await run(fail, ["--debug"]);
  assertStringIncludes(err, "error: outer\nError: outer\n    at ");
  assertStringIncludes(err, "caused by: TypeError: inner\n    at ");
});

Deno.test("runCommand() warns of errors that nobody listens to, while it runs and after no more", async () => {
  const work: Work = ({ log }) => {
    reportError(new Error("Not today", { cause: "rain" }), "A callback of the demo failed");
    log.info("still at work");
  };
  const { code, err } = await run(work, ["-q"]);
  assertEquals([code, err], [0, "warning: a callback of the demo failed: not today\n"]);
  const debug = await run(work, ["--debug"]);
  assertStringIncludes(debug.err, "not today\nError: Not today\n    at ");
  assertStringIncludes(debug.err, "caused by: rain\nstill at work\n");

  const told: unknown[] = [];
  using _ = redirectErrors((error) => told.push(error));
  await run(() => {});
  reportError("after it", "A callback failed");
  assertEquals(told, ["after it"]);
});

Deno.test("runCommand() heeds -q and -v", async () => {
  const work: Work = ({ log }) => {
    log.info("info");
    log.detail("detail");
  };
  assertEquals((await run(work, ["-q"])).err, "");
  assertEquals((await run(work, ["-v"])).err, "info\ndetail\n");
});

Deno.test("runCommand() colours only a terminal, without NO_COLOR and --no-color", async () => {
  const colored = async (args: string[], options: FakeOptions) => {
    const { err } = await run(({ log }) => log.warn("careful"), args, options);
    return err.includes("\x1b[33m");
  };
  assertEquals(await colored([], { terminal: true }), true);
  assertEquals(await colored([], { terminal: false }), false);
  assertEquals(await colored([], { terminal: true, noColor: true }), false);
  assertEquals(await colored(["--no-color"], { terminal: true }), false);
  const help = async (options: FakeOptions) => (await run(() => 0, ["--help"], options)).out;
  assertStringIncludes(await help({ terminal: true }), "\x1b[1m");
  assert(!(await help({ terminal: true, noColor: true })).includes("\x1b"));
});

Deno.test("the first interruption aborts the signal and says so; a client exits 130", async () => {
  const host = new FakeHost();
  const work = commandThat(async ({ signal }) => {
    queueMicrotask(() => host.interrupt());
    await untilAborted(signal);
  });
  assertEquals(await runCommand(work, host), 130);
  assertEquals(host.errText, "stopping (once more ends at once)\n");
  assertEquals(host.exits, []);
  assertEquals(host.listeners.size, 0);
});

Deno.test("an error that wraps the interruption is none", async () => {
  const host = new FakeHost();
  const work = commandThat(({ signal }) => {
    host.interrupt();
    throw new Error("Cannot connect", { cause: signal.reason });
  });
  assertEquals(await runCommand(work, host), 130);
});

Deno.test("an interrupted client that returns a code exits with it", async () => {
  const host = new FakeHost();
  const work = commandThat(async ({ signal, out }) => {
    queueMicrotask(() => host.interrupt());
    await untilAborted(signal).catch(() => {});
    out.line("the summary so far");
    return 3;
  });
  assertEquals(await runCommand(work, host), 3);
  assertEquals(host.outText, "the summary so far\n");
});

Deno.test("a server that drained exits 0, one that failed to exits 1", async () => {
  const host = new FakeHost();
  const drained = commandThat(() => host.interrupt(), "server");
  assertEquals(await runCommand(drained, host), 0);
  assertEquals(host.errText, "draining: open connections may finish (once more ends at once)\n");
  const failed = commandThat(() => {
    host.interrupt();
    throw new Error("a connection had to be cut");
  }, "server");
  assertEquals(await runCommand(failed, host), 1);
});

Deno.test("the second interruption ends the process at once", async () => {
  const host = new FakeHost();
  const work = commandThat(() => {
    host.interrupt();
    assertEquals(host.exits, []);
    host.interrupt();
    assertEquals(host.exits, [130]);
  });
  assertEquals(await runCommand(work, host), 130);
});

Deno.test("a server whose terminal closes drains, however often it is told", async () => {
  const host = new FakeHost([], { terminal: true });
  const work = commandThat(({ signal, onHangup }) => {
    onHangup(() => assert(false, "nothing is read again"));
    host.hangUp();
    host.hangUp();
    assert(signal.aborted);
  }, "server");
  assertEquals(await runCommand(work, host), 0);
  assertEquals([host.exits, host.hangupListeners.size], [[], 0]);
});

Deno.test("a server without a terminal is told to read its files again, and goes on", async () => {
  const host = new FakeHost();
  let told = 0;
  const work = commandThat(({ signal, onHangup }) => {
    // Files that it reads at the start may have been read already.
    host.hangUp();
    host.hangUp();
    onHangup(() => told++);
    assertEquals(told, 1);
    host.hangUp();
    host.hangUp();
    assert(!signal.aborted);
  }, "server");
  assertEquals([await runCommand(work, host), told], [0, 3]);
});

Deno.test("without a terminal a hangup ends a client as it ends any program", async () => {
  const host = new FakeHost();
  const work = commandThat(() => assertEquals(host.hangupListeners.size, 0));
  assertEquals(await runCommand(work, host), 0);
});

Deno.test("a client whose terminal closes stops in order", async () => {
  const host = new FakeHost([], { terminal: true });
  const work = commandThat(({ signal }) => {
    host.hangUp();
    host.hangUp();
    assert(signal.aborted);
  });
  assertEquals([await runCommand(work, host), host.exits], [130, []]);
});

Deno.test("a server that is told to end drains, though its terminal or its reader has gone", async () => {
  const gone = [
    Object.assign(new Error("Input/output error (os error 5)"), { code: "EIO" }),
    new Deno.errors.BrokenPipe("Broken pipe (os error 32)"),
  ];
  const cases = gone.flatMap((writeError) => [[writeError, true], [writeError, false]] as const);
  await Promise.all(cases.map(async ([writeError, isToldFirst]) => {
    const host = new FakeHost([], { terminal: true, writeError });
    let isDrained = false;
    const work = commandThat(async ({ out }) => {
      if (isToldFirst) host.hangUp();
      out.line("a connection was closed");
      await out.flush();
      host.hangUp();
      // For longer than the loss of its reader alone would give it.
      await pause(600);
      isDrained = true;
    }, "server");
    const what = `${writeError.message}, ${isToldFirst}`;
    assertEquals([await runCommand(work, host), isDrained, host.exits], [0, true, []], what);
  }));
});

Deno.test("a file that cannot be written to is an error also with the code that a closed terminal has", async () => {
  const writeError = Object.assign(new Error("Input/output error (os error 5)"), { code: "EIO" });
  const { code } = await run(({ out }) => void out.line("lost"), [], { writeError });
  assertEquals(code, 1);
});

Deno.test("a reader that has gone ends the command quietly with 0", async () => {
  const writeError = new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  const { code, err } = await run(
    async ({ out, signal }) => {
      out.line("nobody reads this");
      await untilAborted(signal);
    },
    [],
    { writeError },
  );
  assertEquals([code, err], [0, ""]);
});

Deno.test("a command that goes on after its reader has gone is left behind", async () => {
  const writeError = new Deno.errors.BrokenPipe("Broken pipe (os error 32)");
  const stuck = Promise.withResolvers<void>();
  const { code, err } = await run(
    ({ out }) => {
      out.line("nobody reads this");
      return stuck.promise;
    },
    [],
    { writeError },
  );
  assertEquals([code, err], [0, ""]);
  stuck.resolve();
});

Deno.test("stdout that cannot be written to is an error", async () => {
  const writeError = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  const { code, err } = await run(({ out }) => void out.line("lost"), [], { writeError });
  assertEquals([code, err], [
    1,
    "error: cannot write to stdout: no space is left on the device\n",
  ]);
});
