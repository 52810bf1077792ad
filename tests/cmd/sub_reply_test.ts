/** `sub --reply`: the command's time, number, output and processes, also as a packed program. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { program as socktool } from "../../cmd/program.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { type Broker, type BrokerClient, connectBroker } from "../../lib/pubsub/mod.ts";
import { permissionFlags } from "../../scripts/pack/permissions.ts";
import { targetOf } from "../../scripts/pack/targets.ts";
import { startBroker } from "../pubsub/support.ts";
import { until } from "../support/deadline.ts";
import { Program, ROOT } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled, runTool } from "../support/tools.ts";

const runsHere = Deno.build.os !== "windows" && isInstalled("ps", "sub --reply");

/** Starts `sub ask --reply COMMAND ARGS…` with a packed program's permissions. */
async function startReplying(broker: Broker, command: string, ...args: string[]): Promise<Program> {
  // One that was killed may count for a while.
  await until(() => broker.stats().connections === 1, "there is the client alone");
  const before = broker.stats().subscriptions;
  const permissions = await permissionFlags(socktool, targetOf(Deno.build.target));
  const at = ["-s", formatAddress(broker.address)];
  const sub = new Program([
    "run",
    ...permissions,
    `${ROOT}cmd/socktool.ts`,
    ...["sub", "ask", "--reply", command, ...args, ...at],
  ]);
  await until(() => broker.stats().subscriptions > before, "it has subscribed");
  return sub;
}

/** A command's processes, which write their ids into a file. */
class Processes {
  readonly file: string;

  constructor(scratch: Scratch) {
    this.file = scratch.write("ids", "");
  }

  /** In a shell: notes the id. */
  note(id: string): string {
    return `echo ${id} >> ${this.file}`;
  }

  /** How many have noted their ids. */
  get count(): number {
    return this.#ids().length;
  }

  /** Waits until so many have noted their ids. */
  async begun(count: number): Promise<void> {
    await until(() => this.count >= count, `${count} processes have begun`);
  }

  /** Waits until none is there any more. */
  async gone(): Promise<void> {
    for (const id of this.#ids()) await until(() => isGone(id), `the process ${id} is gone`);
  }

  /** Waits until whoever started them knows that they are gone. */
  async reaped(): Promise<void> {
    for (const id of this.#ids()) {
      await until(async () => await stateOf(id) === "", `the process ${id} is waited for`);
    }
  }

  #ids(): string[] {
    return Deno.readTextFileSync(this.file).trim().split("\n").filter((id) => id !== "");
  }
}

async function isGone(id: string): Promise<boolean> {
  const state = await stateOf(id);
  // One that nobody has waited for is a zombie.
  return state === "" || state.startsWith("Z");
}

/** Empty if there is no such process. */
async function stateOf(id: string): Promise<string> {
  const { out } = await runTool("ps", ["-o", "stat=", "-p", id]);
  return out.trim();
}

/** A request whose time is up before the test's is. */
async function failed(client: BrokerClient, content = ""): Promise<string> {
  return await client.request("ask", content, { timeoutMs: 100 }).then(
    () => "answered",
    (error) => error.code,
  );
}

/**
 * Asks until so many processes have begun: again if a command was ended before they were, which a busy
 * machine does not get to in the time of `--reply-timeout`.
 */
async function askUntilBegun(
  count: number,
  { sub, client, processes }: {
    readonly sub: Program;
    readonly client: BrokerClient;
    readonly processes: Processes;
  },
): Promise<void> {
  const ended = () => sub.err.split("no reply is sent").length;
  while (processes.count < count) {
    const before = ended();
    assertEquals(await failed(client), "timed-out");
    await until(() => processes.count >= count || ended() > before, "processes, or their end");
  }
}

function test(
  name: string,
  body: (
    broker: Broker,
    client: BrokerClient,
    processes: Processes,
    scratch: Scratch,
  ) => Promise<void>,
): void {
  Deno.test(`sub --reply ${name}`, async () => {
    if (!runsHere) return;
    using scratch = new Scratch();
    await using broker = await startBroker();
    await using client = await connectBroker(broker.address);
    await body(broker, client, new Processes(scratch), scratch);
  });
}

test(
  "ends a command that takes too long, with all that it started",
  async (broker, client, processes) => {
    const note = (id: string) => processes.note(id);
    const command = `sleep 600 & ${note("$!")}; (sleep 600 & ${note("$!")}; wait) & ${
      note("$$")
    }; wait`;
    await using sub = await startReplying(broker, command, "--reply-timeout", "300ms");
    await askUntilBegun(3, { sub, client, processes });
    await sub.printed("it takes longer than 300 ms; no reply is sent");
    await processes.gone();
    // The next is served all the same.
    await askUntilBegun(processes.count + 3, { sub, client, processes });
    sub.kill("SIGTERM");
    await sub.finished();
    await processes.gone();
  },
);

test("ends by itself where sub was killed", async (broker, client, processes) => {
  const note = (id: string) => processes.note(id);
  const command = `trap '' TERM; sleep 600 & ${note("$!")}; ${note("$$")}; sleep 600`;
  await using sub = await startReplying(broker, command, "--reply-timeout", "1s");
  await askUntilBegun(2, { sub, client, processes });
  sub.kill("SIGKILL");
  await sub.finished();
  await processes.gone();
});

test("kills what does not end when it is told to", async (broker, client, processes) => {
  const note = (id: string) => processes.note(id);
  const command = `trap '' TERM; sleep 600 & ${note("$!")}; ${note("$$")}; sleep 600`;
  await using sub = await startReplying(broker, command, "--reply-timeout", "200ms");
  await askUntilBegun(2, { sub, client, processes });
  await sub.printed("no reply is sent");
  await processes.gone();
});

test(
  "ends what a command leaves running, and answers at once",
  async (broker, client, processes) => {
    const command = `sleep 600 & ${processes.note("$!")}; echo hi`;
    await using _sub = await startReplying(broker, command);
    assertEquals((await client.request("ask")).text(), "hi\n");
    await processes.begun(1);
    await processes.gone();
  },
);

for (const ends of [false, true]) {
  const when = ends ? "also when sub ends right away" : "while sub goes on";
  test(
    `kills what a command leaves running that ignores SIGTERM and prints nothing, ${when}`,
    async (broker, client, processes) => {
      const stays = `trap '' TERM; ${processes.note("$$")}; exec sleep 600`;
      const command = `sh -c "${stays.replace("$$", "\\$\\$")}" >&- 2>&- <&- &
        until test -s ${processes.file}; do sleep 0.01; done; echo hi`;
      await using sub = await startReplying(broker, command, ...ends ? ["--count", "1"] : []);
      assertEquals((await client.request("ask")).text(), "hi\n");
      if (ends) assertEquals((await sub.finished()).code, 0);
      await processes.begun(1);
      await processes.gone();
    },
  );
}

test("waits for no output of what has left its group", async (broker, client) => {
  if (!isInstalled("setsid", "a process that leaves its group")) return;
  await using _sub = await startReplying(broker, "setsid sleep 20 2>/dev/null & echo hi");
  assertEquals((await client.request("ask")).text(), "hi\n");
});

for (const [how, ...signals] of [["SIGTERM", "SIGTERM"], ["Ctrl-C", "SIGINT"]] as const) {
  test(`obeys ${how} while a command runs`, async (broker, client, processes) => {
    const note = (id: string) => processes.note(id);
    const command = `sleep 600 & ${note("$!")}; ${note("$$")}; wait`;
    await using sub = await startReplying(broker, command, "--drain-timeout", "300ms");
    await failed(client, "one");
    await failed(client, "two");
    await processes.begun(2);
    for (const signal of signals) sub.kill(signal);
    const { code, err } = await sub.finished();
    assertEquals(code, 130);
    assertStringIncludes(err, "it was ended; no reply is sent");
    assertStringIncludes(err, "1 request came too late to be answered");
    await processes.gone();
  });
}

test(
  "answers all that the broker has handed out when it is told to end",
  async (broker, client, processes) => {
    const command = `${processes.note("$$")}; sleep 0.2; cat`;
    await using sub = await startReplying(broker, command, "--parallel", "2");
    const asked = [client.request("ask", "a")];
    await processes.begun(1);
    // From here on sub reads nothing: it finds the rest together with the signal.
    sub.kill("SIGSTOP");
    asked.push(...["b", "c", "d", "e"].map((content) => client.request("ask", content)));
    assertEquals(await client.publishConfirmed("ask", "behind them"), 1);
    sub.kill("SIGTERM");
    sub.kill("SIGCONT");
    assertEquals((await Promise.all(asked)).map((reply) => reply.text()), [
      "a",
      "b",
      "c",
      "d",
      "e",
    ]);
    const { code, err } = await sub.finished();
    assertEquals([code, err.includes("too late")], [130, false]);
  },
);

test("is killed with sub when the second signal comes", async (broker, client, processes) => {
  const note = (id: string) => processes.note(id);
  const command = `trap '' TERM; sleep 600 & ${note("$!")}; ${note("$$")}; sleep 600`;
  await using sub = await startReplying(broker, command);
  await failed(client);
  await processes.begun(2);
  sub.kill("SIGTERM");
  await sub.printed("stopping");
  sub.kill("SIGTERM");
  assertEquals((await sub.finished()).code, 130);
  await processes.gone();
});

test("ends with --timeout, also while a command runs", async (broker, client, processes) => {
  const command = `${processes.note("$$")}; sleep 600`;
  // A busy machine may not get to the command in the first of these times.
  for (const time of ["1500ms", "10s"]) {
    await using sub = await startReplying(broker, command, "--timeout", time);
    await failed(client);
    assertEquals((await sub.finished()).code, 0);
    if (processes.count > 0) break;
  }
  assertEquals(processes.count, 1);
  await processes.gone();
});

test("answers the last of --count before it ends", async (broker, client) => {
  const args = ["--count", "3", "--parallel", "3"];
  await using sub = await startReplying(broker, "sleep 0.3; cat", ...args);
  const asked = ["a", "b", "c"].map((content) => client.request("ask", content));
  assertEquals((await Promise.all(asked)).map((reply) => reply.text()), ["a", "b", "c"]);
  assertEquals((await sub.finished()).code, 0);
});

test(
  "runs one command at a time, or as many as --parallel says",
  async (broker, client, _, scratch) => {
    const lock = scratch.at("lock");
    const alone = `mkdir ${lock} || exit 9; sleep 0.05; rmdir ${lock}; cat`;
    const ask = async () => {
      const asked = ["a", "b", "c", "d"].map((content) => client.request("ask", content));
      return (await Promise.all(asked)).map((reply) => reply.text()).join("");
    };
    {
      await using _sub = await startReplying(broker, alone);
      assertEquals(await ask(), "abcd");
    }
    // Each waits for the others.
    const met = scratch.at("met");
    Deno.mkdirSync(met);
    const together =
      `: > ${met}/$$; until [ "$(ls ${met} | wc -l)" -ge 4 ]; do sleep 0.02; done; cat`;
    await using _sub = await startReplying(broker, together, "--parallel", "4");
    assertEquals(await ask(), "abcd");
  },
);

test(
  "sends no more than --max-reply, and ends what prints more",
  async (broker, client, processes) => {
    const command = `read count; ${
      processes.note("$$")
    }; head -c "$count" /dev/zero; test "$count" != 1025 || exec sleep 600`;
    const endless = `read kind; ${
      processes.note("$$")
    }; test "$kind" = endless && exec yes; exit 0`;
    {
      await using sub = await startReplying(broker, command, "--max-reply", "1KiB");
      assertEquals((await client.request("ask", "1024\n")).content.length, 1_024);
      assertEquals((await client.request("ask", "0\n")).content.length, 0);
      await failed(client, "1025\n");
      await sub.printed("it prints more than 1 KiB; no reply is sent");
    }
    await using sub = await startReplying(broker, endless);
    await failed(client, "endless\n");
    await sub.printed("it prints more than 1 MiB; no reply is sent");
    await processes.begun(4);
    await processes.gone();
  },
);

test(
  "reads large contents or leaves them, and gets no less of the variables",
  async (broker, client) => {
    const command = 'test "$SOCKTOOL_TOPIC" = ask && test -n "$PATH" && cat';
    const content = "x".repeat(900_000);
    {
      await using _sub = await startReplying(broker, command);
      assertEquals((await client.request("ask", content)).text(), content);
    }
    await using _sub = await startReplying(broker, "echo short");
    assertEquals((await client.request("ask", content)).text(), "short\n");
  },
);

test("tells why there is no reply, and goes on", async (broker, client) => {
  const command = 'read code; test -z "$code" || exit $code; kill -TERM $$';
  await using sub = await startReplying(broker, command);
  await failed(client, "3\n");
  await sub.printed("exit code 3; no reply is sent");
  await failed(client, "\n");
  await sub.printed("exit code 143; no reply is sent");
  await client.publish("ask", "");
  await sub.printed("ask: no reply is asked for");
});

test("does not wait for the broker once it is told to stop", async (broker, client, processes) => {
  // Its parent is what the program has started.
  await using sub = await startReplying(broker, `${processes.note("$PPID")}; sleep 0.5; echo late`);
  await failed(client);
  await processes.begun(1);
  await broker[Symbol.asyncDispose]();
  await sub.printed("trying again in");
  await processes.reaped();
  sub.kill("SIGTERM");
  const { code, err } = await sub.finished();
  assertEquals(code, 130);
  assert(!err.includes("error:"), err);
});
