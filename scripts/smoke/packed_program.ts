/** The longest time that a client may run, and that a server may take until it listens. */
const DEADLINE_MS = 30_000;

/** How a program is started. */
export interface StartOptions {
  readonly cwd?: string | undefined;
  /** All environment variables of the program. @default {those of this process} */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** What a client printed, and its exit code. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** A packed program, which is started as users start it. */
export class PackedProgram {
  readonly #path: string;
  readonly #options: StartOptions;

  constructor(path: string, options: StartOptions = {}) {
    this.#path = path;
    this.#options = options;
  }

  /** Runs a command until it ends. */
  async run(args: readonly string[], stdin?: string): Promise<Ended> {
    const child = this.#command(args, stdin === undefined ? "null" : "piped").spawn();
    if (stdin !== undefined) {
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(stdin));
      await writer.close();
    }
    const { code, stdout, stderr } = await child.output();
    const decoder = new TextDecoder();
    return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
  }

  /** Starts a server. Resolves when it listens. */
  async serve(args: readonly string[]): Promise<RunningProgram> {
    const server = this.start(args);
    await server.untilListening();
    return server;
  }

  /** Starts a program that runs until it is stopped. */
  start(args: readonly string[]): RunningProgram {
    return new RunningProgram(args, this.#command(args, "null").spawn());
  }

  #command(args: readonly string[], stdin: "null" | "piped"): Deno.Command {
    const { cwd, env } = this.#options;
    return new Deno.Command(this.#path, {
      args: [...args],
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env: { ...env }, clearEnv: true }),
      stdin,
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(DEADLINE_MS),
    });
  }
}

/** A running program. Disposing of it kills it. */
export class RunningProgram implements AsyncDisposable {
  /** The address that it printed; empty before it listens. */
  address = "";
  readonly #args: readonly string[];
  readonly #child: Deno.ChildProcess;
  readonly #outputs: Promise<unknown>;
  readonly #listening = Promise.withResolvers<void>();
  #err = "";

  constructor(args: readonly string[], child: Deno.ChildProcess) {
    this.#args = args;
    this.#child = child;
    this.#outputs = Promise.all([child.stdout.pipeTo(new WritableStream()), this.#readErr()]);
    // Without this, a server that ends before it listens is an unhandled rejection.
    this.#listening.promise.catch(() => {});
  }

  /** What it printed to stderr so far. */
  get messages(): string {
    return this.#err;
  }

  /** Resolves when it listens. @throws if it ends before. */
  untilListening(): Promise<void> {
    return this.#listening.promise;
  }

  /** The text at a path of its pages. @throws if it has none, or answers with an error. */
  async page(path: string): Promise<string> {
    const url = /^pages on (\S+)$/m.exec(this.#err)?.[1];
    const reply = await fetch(new URL(path, url));
    const text = await reply.text();
    if (reply.ok) return text;
    throw new Error(`${this.#args.join(" ")} answers ${path} with ${reply.status}: ${text}`);
  }

  /** Asks it to drain; on Windows it is killed. Resolves to its exit code. */
  async stop(): Promise<Ended> {
    this.#child.kill("SIGTERM");
    const { code } = await this.#child.status;
    await this.#outputs;
    return { code: Deno.build.os === "windows" ? 0 : code, out: "", err: this.#err };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended before.
    }
    await this.#child.status;
    await this.#outputs;
  }

  async #readErr(): Promise<void> {
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      this.#err += text;
      const address = /^listening on (\S+)$/m.exec(this.#err)?.[1];
      if (address === undefined) continue;
      this.address = address;
      this.#listening.resolve();
    }
    const problem = `${this.#args.join(" ")} ended without listening: ${this.#err}`;
    this.#listening.reject(new Error(problem));
  }
}
