/** What servers tell the service manager that started them: sd_notify(3). */
import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { program } from "../../cmd/program.ts";
import { permissionFlags } from "../../scripts/pack/permissions.ts";
import { targetOf } from "../../scripts/pack/targets.ts";
import { until } from "../support/deadline.ts";
import { Program, ROOT, script, ServerProgram } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled } from "../support/tools.ts";

interface Told {
  readonly pid: number;
  readonly lines: readonly string[];
}

const RECEIVER = new URL("../support/notify_receiver.py", import.meta.url).pathname;

/** A service manager that listens at a path, or an abstract name. */
class Receiver implements AsyncDisposable {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  static async at(path: string): Promise<Receiver> {
    const program = new Program([""], { shell: `exec python3 '${RECEIVER}' '${path}'`, stdin: "" });
    await program.printed("bound", "out");
    return new Receiver(program);
  }

  get told(): Told[] {
    return this.#program.out.split("\n").slice(1, -1).map((line) => JSON.parse(line));
  }

  /** What it was told of the state, without signs of life. */
  get states(): string[] {
    return this.told.map(({ lines }) => lines[0]!).filter((line) => line !== "WATCHDOG=1");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program.endStdin();
    await this.#program.finished();
  }
}

const ignore = Deno.build.os !== "linux" || !isInstalled("python3", "a service manager's socket");

Deno.test({
  name: "a server tells the service manager that it serves, lives, reloads and ends",
  ignore,
  async fn() {
    using scratch = new Scratch();
    await using receiver = await Receiver.at(scratch.at("notify"));
    // With the permissions of a packed program.
    const permissions = await permissionFlags(program, targetOf(Deno.build.target));
    const args = ["run", "--unstable-net", ...permissions, `${ROOT}cmd/echo_server.ts`, ":0"];
    await using server = await ServerProgram.start(args, {
      env: { NOTIFY_SOCKET: scratch.at("notify"), WATCHDOG_USEC: "40000" },
    });
    await until(() => receiver.told.filter(({ lines }) => lines[0] === "WATCHDOG=1").length >= 3);
    assertEquals(receiver.told[0]?.lines[0], "READY=1");
    assertStringIncludes(
      receiver.told[0]!.lines[1]!,
      `STATUS=listening on ${server.words.join(":")}`,
    );
    server.kill("SIGHUP");
    await until(() => receiver.states.length === 3);
    server.kill("SIGTERM");
    assertEquals((await server.finished()).code, 0);
    await until(() => receiver.states.length === 4);
    assertEquals(receiver.states, ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"]);
    // It is the process that was started, and no child of it.
    assertEquals(new Set(receiver.told.map(({ pid }) => pid)), new Set([server.pid]));
  },
});

Deno.test({
  name: "the search app says how far it is, and is ready once it has indexed",
  ignore,
  async fn() {
    using scratch = new Scratch();
    const data = scratch.write("data.jsonl", `{"key": "a", "title": "A", "text": "text"}\n`);
    const path = `@socktool-test-${Deno.pid}-${crypto.randomUUID()}`;
    await using receiver = await Receiver.at(path);
    await using _server = await ServerProgram.start(
      script("cmd/app_server.ts", ":0", "--data", data),
      // That of another process is none of its business.
      { env: { NOTIFY_SOCKET: path, WATCHDOG_USEC: "1000", WATCHDOG_PID: "1" } },
    );
    await until(() => receiver.states.includes("READY=1"));
    const [more, status] = receiver.told[0]!.lines;
    assertEquals(more, "EXTEND_TIMEOUT_USEC=60000000");
    assertMatch(status!, /^STATUS=indexing: \d+ %$/);
    assertEquals(receiver.states.at(-1), "READY=1");
    assertEquals(receiver.told.filter(({ lines }) => lines[0] === "WATCHDOG=1"), []);
  },
});

Deno.test({
  name: "a service manager that cannot be told is warned of, and the server serves",
  ignore: Deno.build.os === "windows",
  async fn() {
    for (
      const [path, why] of [
        ["/nowhere/notify", "no such file"],
        ["vsock:2:1234", "only Unix sockets"],
      ]
    ) {
      await using server = await ServerProgram.start(script("cmd/echo_server.ts", ":0"), {
        env: { NOTIFY_SOCKET: path! },
      });
      await server.printed(`cannot tell the service manager at ${path}: `);
      assertStringIncludes(server.err, why!);
      server.kill("SIGTERM");
      assertEquals((await server.finished()).code, 0);
    }
  },
});
