import { before } from "../../lib/base/before.ts";
import { EndedGroups } from "./ended_groups.ts";

const isWindows = Deno.build.os === "windows";

/** The only program that a packed program may run. */
const SHELL = isWindows ? "cmd" : "/bin/sh";

/**
 * Runs the user's command ($1), then ends what it left in the background. The shell that runs this
 * script leads the process group. If this program is killed, nobody outside ends the group, so the
 * script itself kills it after $2 seconds.
 */
const RUN = `
{ sleep "$2"; kill -KILL 0; } </dev/null >/dev/null 2>&1 &
/bin/sh -c "$1"
code=$?
trap "" TERM
kill -TERM 0
exit "$code"`;

/** How much later the group kills itself than its caller would end it, in seconds. */
const SURPLUS_SECONDS = 3;

/** How long a group may take to end after SIGTERM. */
const TERM_GRACE_MS = 2_000;

/** How long to wait for the end of the output after the command has ended or was killed. */
const CLOSE_GRACE_MS = 500;

const running = new Set<ProcessGroup>();

/** Those whose command and output have ended. */
const endedGroups = new EndedGroups(CLOSE_GRACE_MS, (groups) => signal("KILL", groups));

/**
 * A shell command and all processes that it starts, in a process group of their own. Signals of the
 * terminal do not reach the group; it ends as a whole. Processes that leave the group (`setsid`) are
 * not followed. On Windows the tree of child processes takes the group's place.
 *
 * Groups that still run when this program exits are killed.
 */
export class ProcessGroup {
  /** Resolves to the exit code after all output was read. Never rejects. */
  readonly ended: Promise<number>;
  /** Whether the command has ended; some of its output may be unread. */
  hasExited = false;
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #read: Promise<void>;
  /** Whether the caller takes a piece of the output at the moment. */
  #isTaking = false;
  /** Resolves when no more of the output is waited for. */
  readonly #cut = Promise.withResolvers<void>();
  #ending = false;

  /**
   * Starts it.
   *
   * @param limitMs The caller ends it after this time at the latest.
   * @param take Is called with each piece of its output. No further one is read until it is done with
   * that: so a command that prints much waits, as for any reader.
   */
  constructor(
    command: string,
    env: Record<string, string>,
    limitMs: number,
    input: Uint8Array,
    take: (piece: Uint8Array) => void | Promise<void>,
  ) {
    const seconds = Math.ceil(limitMs / 1_000) + SURPLUS_SECONDS;
    this.#child = new Deno.Command(SHELL, {
      ...shellArguments(command, seconds),
      env,
      detached: !isWindows,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    // Listening once more changes nothing.
    globalThis.addEventListener("unload", killAll);
    running.add(this);
    endedGroups.delete(this.id);
    this.#reader = this.#child.stdout.getReader();
    this.#read = this.#readAll(take);
    void feed(this.#child.stdin, input);
    this.ended = this.#run();
  }

  /** Its number: that of the shell. */
  get id(): number {
    return this.#child.pid;
  }

  /** Sends SIGTERM to the group, and SIGKILL if it does not end. Resolves when it has ended. */
  async end(): Promise<void> {
    this.#ending = true;
    // Windows has no SIGTERM.
    if (!isWindows) {
      await signal("TERM", [this.id]);
      await before(this.ended, TERM_GRACE_MS);
    }
    await this.#close();
    await this.ended;
  }

  async #run(): Promise<number> {
    const { code } = await this.#child.status;
    this.hasExited = true;
    while (!this.#ending && !await before(this.#read, CLOSE_GRACE_MS)) {
      // A background process may still hold the output open.
      if (!this.#isTaking) await this.#close();
    }
    await this.#read;
    running.delete(this);
    // Where it was ended it was killed.
    if (!isWindows && !this.#ending) endedGroups.add(this.id);
    return code;
  }

  async #readAll(take: (piece: Uint8Array) => void | Promise<void>): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) return;
        this.#isTaking = true;
        await Promise.race([take(value), this.#cut.promise]);
        this.#isTaking = false;
      }
    } catch {
      // The pipe broke: the output ends here.
    }
  }

  /** Kills the group. Stops reading if a process outside the group holds the output open. */
  async #close(): Promise<void> {
    await signal("KILL", [this.id]);
    if (await before(this.#read, CLOSE_GRACE_MS)) return;
    this.#cut.resolve();
    await this.#reader.cancel();
  }
}

/** Sends a signal to groups. Resolves when they have it. */
async function signal(name: "TERM" | "KILL", groups: readonly number[]): Promise<void> {
  try {
    await killer(name, groups).output();
  } catch {
    // No process can be started now. A group whose command runs ends itself when its time is up.
  }
}

/** A shell sends the signal, because a packed program may not. */
function killer(name: "TERM" | "KILL", groups: readonly number[]): Deno.Command {
  return new Deno.Command(SHELL, {
    args: isWindows
      ? ["/d", "/c", groups.map((id) => `taskkill /pid ${id} /t /f`).join(" & ")]
      : ["-c", groups.map((id) => `kill -${name} -${id}`).join("\n")],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  });
}

/**
 * How the shell is given a command. `cmd` takes its own quotes apart: with `/s` it removes the outer
 * ones and leaves the rest as it was typed, which holds only if nothing else quotes the words before.
 * `/d` keeps what the registry would run first out of it.
 */
export function shellArguments(
  command: string,
  seconds: number,
  windows: boolean = isWindows,
): { args: string[]; windowsRawArguments?: boolean } {
  if (!windows) return { args: ["-c", RUN, "sh", command, String(seconds)] };
  return { args: ["/d", "/s", "/c", `"${command}"`], windowsRawArguments: true };
}

/** Kills what is left of groups whose command has ended: nothing more will be run. */
export async function killLeftovers(): Promise<void> {
  await endedGroups.killAll();
}

/** Kills all groups before it returns. */
function killAll(): void {
  const groups = [...[...running].map(({ id }) => id), ...endedGroups.take()];
  if (groups.length === 0) return;
  try {
    killer("KILL", groups).outputSync();
  } catch {
    // As above.
  }
}

/** Writes to a command that need not read its stdin. */
async function feed(stdin: WritableStream<Uint8Array>, content: Uint8Array): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(content);
    await writer.close();
  } catch {
    await writer.abort().catch(() => {});
  }
}
