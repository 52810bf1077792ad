/**
 * What the benchmarks share: the C programs, processes to measure against, ratios.
 *
 * @module
 */

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
  const path = `${await Deno.makeTempDir({ prefix: "socktool-bench-" })}/${name}`;
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
}

/** Starts a command and waits until something listens on the port. */
export async function startServer(
  command: string,
  args: readonly string[],
  port: number,
): Promise<ServerProcess> {
  const child = new Deno.Command(command, { args: [...args], stdout: "null", stderr: "null" })
    .spawn();
  const deadline = Date.now() + 20_000;
  while (!await listens(port)) {
    if (Date.now() > deadline) throw new Error(`${command} does not listen on port ${port}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    port,
    pid: child.pid,
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.status;
    },
  };
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}

/** A port that was free a moment ago. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** Runs a program that prints one line of JSON. */
export async function runJson(
  command: string,
  args: readonly (string | number)[],
  input?: Uint8Array,
): Promise<Figures> {
  const child = new Deno.Command(command, {
    args: args.map(String),
    stdin: input ? "piped" : "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  if (input) {
    const writer = child.stdin.getWriter();
    await writer.write(input);
    await writer.close();
  }
  const { stdout, success } = await child.output();
  if (!success) throw new Error(`${command} ${args.join(" ")} failed`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** The middle value. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** The arguments with which this Deno runs a file of the project. */
export function denoArgs(file: string, ...args: string[]): string[] {
  const config = new URL("../../deno.json", import.meta.url).pathname;
  return [
    "run",
    "-A",
    "-q",
    "--config",
    config,
    new URL(`../../${file}`, import.meta.url).pathname,
    ...args,
  ];
}
