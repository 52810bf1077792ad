/**
 * What the benchmarks share: the C programs, processes to measure against, ratios.
 *
 * @module
 */

/** The checkout in which this file lies, without a slash at the end. */
export const ROOT: string = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** Figures by name; a name ends with its unit. */
export type Figures = Record<string, number>;

const built = new Map<string, Promise<string>>();

/** Builds a program of `scripts/bench/c` with `cc`, once per run. Returns the path of the program. */
export function buildC(name: string): Promise<string> {
  let program = built.get(name);
  if (!program) built.set(name, program = compileC(name));
  return program;
}

async function compileC(name: string): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "socktool-bench-" });
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));
  const path = `${folder}/${name}`;
  const source = new URL(`./c/${name}.c`, import.meta.url).pathname;
  const { success, stderr } = await new Deno.Command("cc", { args: ["-O2", "-o", path, source] })
    .output();
  if (!success) throw new Error(`Cannot build ${source}: ${new TextDecoder().decode(stderr)}`);
  return path;
}

/** A server that runs in a process of its own. */
export interface ServerProcess extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Ends it in order; disposing of it kills it. */
  end(): Promise<void>;
}

/**
 * Starts a command and waits until something listens on the port.
 *
 * @throws {Error} if it ends before, with what it printed last.
 */
export async function startServer(
  command: string,
  args: readonly string[],
  port: number,
): Promise<ServerProcess> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  let said = "";
  const listening = (async () => {
    for await (const text of child.stderr.pipeThrough(new TextDecoderStream())) {
      said = (said + text).slice(-1_000);
    }
  })();
  let ended = false;
  void child.status.then(() => ended = true);
  const server = {
    port,
    pid: child.pid,
    async end() {
      if (!ended) child.kill("SIGTERM");
      await child.status;
      await listening;
    },
    async [Symbol.asyncDispose]() {
      if (!ended) child.kill("SIGKILL");
      await child.status;
      await listening;
    },
  };
  const deadline = Date.now() + 20_000;
  while (!await listens(port)) {
    if (ended || Date.now() > deadline) {
      await server[Symbol.asyncDispose]();
      throw new Error(
        `${command} ${args.join(" ")} does not listen on port ${port}: ${said.trim()}`,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return server;
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** CPU time that a process has used, in milliseconds, to the microsecond: that of its threads; Linux. */
export function cpuMs(pid: number): number {
  let ns = 0;
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    ns += Number(Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`).split(" ")[0]);
  }
  return ns / 1e6;
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** A program that should have ended long ago is killed after this time. */
const LONGEST_RUN_MS = 120_000;

/** How a program is run. */
export interface RunOptions {
  readonly input?: Uint8Array;
  /** Whether its exit code may be another than 0. @default {false} */
  readonly mayFail?: boolean;
}

/** Runs a program whose last line is JSON; returns that. */
export async function runJson(
  command: string,
  args: readonly (string | number)[],
  options: RunOptions = {},
): Promise<Figures> {
  const { input, mayFail = false } = options;
  const child = new Deno.Command(command, {
    args: args.map(String),
    stdin: input ? "piped" : "null",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(LONGEST_RUN_MS),
  }).spawn();
  if (input) {
    const writer = child.stdin.getWriter();
    await writer.write(input);
    await writer.close();
  }
  const { stdout, success } = await child.output();
  const last = new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1)!;
  if (last === "" || (!success && !mayFail)) {
    throw new Error(`${command} ${args.join(" ")} failed`);
  }
  return JSON.parse(last);
}

/** Tells whoever runs the benchmarks something, on stderr. */
export function say(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The arguments with which this Deno runs a file of the project. */
export function denoArgs(file: string, ...args: string[]): string[] {
  return denoArgsIn(ROOT, file, ...args);
}

/** The arguments with which this Deno runs a file of a checkout of the project. */
export function denoArgsIn(root: string, file: string, ...args: string[]): string[] {
  return ["run", "-A", "-q", "--config", `${root}/deno.json`, `${root}/${file}`, ...args];
}

/** Whether a command can be started. */
export function isInstalled(name: string): boolean {
  return (Deno.env.get("PATH") ?? "").split(":").some((folder) => {
    try {
      return Deno.statSync(`${folder}/${name}`).isFile;
    } catch {
      return false;
    }
  });
}
