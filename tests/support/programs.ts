/** Our programs as processes. */
import { runMulti } from "../../cmd/_cli/multi.ts";
import { program as socktoolProgram } from "../../cmd/program.ts";
import { type Address, parseAddress } from "../../lib/net/mod.ts";
import { FakeHost } from "../cmd/_cli/fake_host.ts";
import { deadline, pause, until } from "./deadline.ts";

/** The checkout. */
export const ROOT: string = new URL("../../", import.meta.url).pathname
  .replace(/^\/([A-Za-z]:)/, "$1");

const PROGRAM = `${ROOT}cmd/socktool.ts`;

/** What programs run with where the tests themselves run as on Windows; see `as_windows.ts`. */
const PRELOAD = Deno.env.has("SOCKTOOL_AS_WINDOWS")
  ? ["--preload", `${ROOT}tests/support/as_windows.ts`]
  : [];

/** What a program printed, and its exit code. */
export interface Finished {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** How a program is started. */
export interface ProgramOptions {
  /** What stdin holds. Without it, stdin is empty. */
  readonly stdin?: string | undefined;
  /** Variables besides those of this process. */
  readonly env?: Record<string, string> | undefined;
  /** Runs under this limit of open files; not on Windows. */
  readonly openFiles?: number | undefined;
  /** Runs by this command of a shell, in which `exec "$0" "$@"` is the program; not on Windows. */
  readonly shell?: string | undefined;
}

/** A program that runs. Disposing of it ends it. */
export class Program implements AsyncDisposable {
  /** What it printed so far. */
  out = "";
  err = "";
  readonly #child: Deno.ChildProcess;
  readonly #finished: Promise<Finished>;
  #stdin: WritableStreamDefaultWriter<Uint8Array> | undefined;

  /** Starts `deno ARGS…`. */
  constructor(args: readonly string[], options: ProgramOptions = {}) {
    const { openFiles, env = {} } = options;
    const limited = openFiles && `ulimit -n ${openFiles} && exec "$0" "$@"`;
    const shell = options.shell ?? limited;
    const [command, before] = shell
      ? ["sh", ["-c", shell, Deno.execPath()]]
      : [Deno.execPath(), []];
    const [verb, ...rest] = args;
    this.#child = new Deno.Command(command, {
      args: [...before, verb!, ...PRELOAD, ...rest],
      env: { NO_COLOR: "1", ...env },
      stdin: options.stdin === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    if (options.stdin !== undefined) this.#stdin = this.#child.stdin.getWriter();
    const out = collect(this.#child.stdout, (text) => this.out += text);
    const err = collect(this.#child.stderr, (text) => this.err += text);
    this.#finished = Promise.all([this.#child.status, out, err]).then(([{ code }]) => ({
      code,
      out: this.out,
      err: this.err,
    }));
  }

  get pid(): number {
    return this.#child.pid;
  }

  /** Its end. It is killed if that takes too long. */
  async finished(): Promise<Finished> {
    try {
      return await deadline(this.#finished, `the end of a program that printed ${printedBy(this)}`);
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Waits until a text was printed to stderr, or to stdout. */
  async printed(text: string, where: "out" | "err" = "err"): Promise<void> {
    let over = false;
    void this.#finished.then(() => over = true);
    await untilPrinted(this, text, where, () => over);
  }

  /** Writes to stdin. */
  async type(text: string | Uint8Array): Promise<void> {
    const bytes = typeof text === "string" ? new TextEncoder().encode(text) : text;
    await deadline(this.#stdin!.write(bytes), "writing to stdin");
  }

  /** Ends stdin. */
  async endStdin(): Promise<void> {
    try {
      await this.#stdin?.close();
    } catch {
      // The program has closed its end.
    }
    this.#stdin = undefined;
  }

  kill(signal: Deno.Signal): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#finished;
    await this.endStdin();
  }
}

/** A server of ours as a process. */
export class ServerProgram extends Program {
  /** Where it listens. */
  address!: Address;

  /** The address as two words, as clients are given it; or as one, of a Unix socket. */
  get words(): string[] {
    return wordsOf(this.address);
  }

  /** Starts `deno ARGS…` and waits for the line `listening on ADDRESS`. */
  static async start(
    args: readonly string[],
    options?: ProgramOptions,
  ): Promise<ServerProgram> {
    const server = new ServerProgram(args, options);
    server.address = await listening(server);
    return server;
  }
}

/** The address on which a server says that it listens. A server that does not is ended. */
async function listening(
  server: Pick<Program, "err" | "printed"> & AsyncDisposable,
): Promise<Address> {
  try {
    await server.printed("listening on ");
    await until(() => /^listening on \S+\n/m.test(server.err), "a whole line");
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return parseAddress(/^listening on (\S+)\n/m.exec(server.err)![1]!);
}

function wordsOf(address: Address): string[] {
  return address.transport === "unix"
    ? [`unix:${address.path}`]
    : [address.hostname, String(address.port)];
}

/** The arguments of `deno` that run a script of this checkout. */
export function script(path: string, ...args: readonly string[]): string[] {
  return ["run", "-A", `${ROOT}${path}`, ...args];
}

/** What a program in this process is started with. */
export interface InnerOptions {
  /** What stdin holds. Without it, stdin is empty. */
  readonly stdin?: string | Uint8Array | undefined;
  /** The only variables that its flags can be set by. */
  readonly env?: Record<string, string> | undefined;
}

/**
 * `socktool ARGS…` running in this process: that takes a few milliseconds, where a process of its own
 * takes a tenth of a second. What it leaves open is found. Disposing of it ends it.
 */
export class InnerProgram implements AsyncDisposable {
  readonly #host: FakeHost;
  readonly #finished: Promise<Finished>;
  #over = false;

  /** With stdin "", texts can be typed. */
  constructor(args: readonly string[], { stdin, env = {} }: InnerOptions = {}) {
    const host = this.#host = new FakeHost(args, { noColor: true, env });
    if (stdin === undefined) host.endStdin();
    this.#finished = runMulti(socktoolProgram, host).then((code) => {
      this.#over = true;
      return { code, out: host.outText, err: host.errText };
    });
  }

  /** What it printed so far. */
  get out(): string {
    return this.#host.outText;
  }
  get err(): string {
    return this.#host.errText;
  }

  /** Its end. */
  finished(): Promise<Finished> {
    return deadline(this.#finished, `the end of a program that printed ${printedBy(this)}`);
  }

  /** Waits until a text was printed to stderr, or to stdout. */
  printed(text: string, where: "out" | "err" = "err"): Promise<void> {
    return untilPrinted(this, text, where, () => this.#over);
  }

  /** Writes to stdin. */
  type(text: string | Uint8Array): void {
    this.#host.type(text);
  }

  /** Waits until it has dealt with all that was typed, as far as it can without waiting itself. */
  async read(): Promise<void> {
    await until(() => this.#host.isRead, "what was typed is read");
    await pause(0);
  }

  /** Ends stdin. */
  endStdin(): void {
    this.#host.endStdin();
  }

  /** What SIGINT and SIGTERM do. */
  interrupt(): void {
    this.#host.interrupt();
  }

  /** What SIGHUP does. */
  hangUp(): void {
    this.#host.hangUp();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#over) this.interrupt();
    await this.finished();
  }
}

/** A server of ours in this process. */
export class InnerServer extends InnerProgram {
  /** Where it listens. */
  address!: Address;

  /** The address as two words, as clients are given it; or as one, of a Unix socket. */
  get words(): string[] {
    return wordsOf(this.address);
  }

  /** Starts `socktool ARGS…` and waits for the line `listening on ADDRESS`. */
  static async start(args: readonly string[], options?: InnerOptions): Promise<InnerServer> {
    const server = new InnerServer(args, options);
    server.address = await listening(server);
    return server;
  }
}

/** Runs `socktool ARGS…` to its end, in this process. */
export async function socktool(
  args: readonly string[],
  options: InnerOptions = {},
): Promise<Finished> {
  const inner = new InnerProgram(args, options);
  if (options.stdin !== undefined) {
    inner.type(options.stdin);
    inner.endStdin();
  }
  return await inner.finished();
}

/** Runs `socktool ARGS…` as a process to its end. */
export async function socktoolProcess(
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Finished> {
  await using program = new Program(["run", "-A", PROGRAM, ...args], options);
  if (options.stdin !== undefined) {
    await program.type(options.stdin);
    await program.endStdin();
  }
  return await program.finished();
}

/** Starts `socktool ARGS…`. */
export function start(args: readonly string[], options: ProgramOptions = {}): Program {
  return new Program(["run", "-A", PROGRAM, ...args], options);
}

/** Starts `socktool app-server ARGS…`, on a free port where ARGS name none. */
export function startAppServer(
  args: readonly string[] = [],
  options: ProgramOptions = {},
): Promise<ServerProgram> {
  return ServerProgram.start(["run", "-A", PROGRAM, ...appServer(args)], options);
}

/** The same server in this process. */
export function innerAppServer(args: readonly string[] = []): Promise<InnerServer> {
  return InnerServer.start(appServer(args));
}

function appServer(args: readonly string[]): string[] {
  const address = args[0] === undefined || args[0].startsWith("-") ? [":0"] : [];
  return ["app-server", ...address, ...args];
}

/** How long the first thread of a process has worked, in milliseconds; Linux only. */
export function workedMs(pid: number): number {
  return Number.parseInt(Deno.readTextFileSync(`/proc/${pid}/schedstat`)) / 1e6;
}

/**
 * How long all threads of a process have worked, in milliseconds, to the nearest 10; Linux only.
 */
export function processWorkMs(pid: number): number {
  const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

/** Memory of a process in use, in bytes; Linux only. */
export function residentBytes(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`))?.[1];
  return Number(kib) * 1_024;
}

/** The last of what a program printed. */
function printedBy({ out, err }: { readonly out: string; readonly err: string }): string {
  return JSON.stringify({ out: out.slice(-2_000), err: err.slice(-2_000) });
}

async function untilPrinted(
  program: { readonly out: string; readonly err: string },
  text: string,
  where: "out" | "err",
  isOver: () => boolean,
): Promise<void> {
  await until(() => isOver() || program[where].includes(text), `a program printed ${text}`);
  if (!program[where].includes(text)) {
    throw new Error(`The program ended without printing ${text}. It printed ${printedBy(program)}`);
  }
}

async function collect(
  stream: ReadableStream<Uint8Array>,
  take: (text: string) => void,
): Promise<void> {
  for await (const text of stream.pipeThrough(new TextDecoderStream())) take(text);
}
