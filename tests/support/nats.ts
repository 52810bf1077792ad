/** nats-server as a process, on loopback. */
import { deadline, until } from "./deadline.ts";
import { ROOT } from "./programs.ts";
import { Scratch } from "./scratch.ts";
import { skip } from "./skip.ts";
import { runTool } from "./tools.ts";

/** Folders in which Debian and others put it; not all of them are in every PATH. */
const FOLDERS = [...(Deno.env.get("PATH") ?? "").split(":"), "/usr/sbin", "/usr/local/bin"];

let program: Promise<string | undefined> | undefined;

/**
 * Where nats-server is. In CI, where tests run as root, it is installed if it is missing. Otherwise
 * says on stderr what is skipped.
 */
export async function natsProgram(what: string): Promise<string | undefined> {
  program ??= findProgram();
  const found = await program;
  if (found === undefined) skip(`nats-server is not installed: ${what}`);
  return found;
}

async function findProgram(): Promise<string | undefined> {
  const find = () => FOLDERS.map((folder) => `${folder}/nats-server`).find(isFile);
  const found = find();
  if (found !== undefined || Deno.uid() !== 0 || !Deno.env.has("CI")) return found;
  const args = ["install", "-y", "--no-install-recommends", "nats-server"];
  await runTool("apt-get", args, { timeoutMs: 120_000 }).catch(() => {});
  return find();
}

function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** How a server is started. */
export interface NatsServerOptions {
  /** What its configuration holds besides the address. */
  readonly config?: string | undefined;
  /** @default {one that is free} */
  readonly port?: number | undefined;
}

/** A nats-server. Disposing of it kills it. */
export class NatsServer implements AsyncDisposable {
  readonly scratch = new Scratch();
  port: number;
  readonly #program: string;
  readonly #config: string;
  #child: Deno.ChildProcess | undefined;
  #output: Promise<string> | undefined;

  private constructor(program: string, { config = "", port = -1 }: NatsServerOptions) {
    this.#program = program;
    this.#config = config;
    this.port = port;
  }

  /** Starts one; `undefined` where there is no nats-server. */
  static async start(
    what: string,
    options: NatsServerOptions = {},
  ): Promise<NatsServer | undefined> {
    const program = await natsProgram(what);
    if (program === undefined) return undefined;
    const server = new NatsServer(program, options);
    try {
      await server.restart();
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** What clients of NATS are given. */
  get servers(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Starts it, with what it kept before. */
  async restart(): Promise<void> {
    const { scratch } = this;
    const config = scratch.write(
      "nats.conf",
      `listen: "127.0.0.1:${this.port}"\nports_file_dir: "${scratch.path}"\n` +
        this.#config.replaceAll("$DIR", scratch.path),
    );
    const child = new Deno.Command(this.#program, {
      args: ["-c", config],
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    let printed = "";
    let over = false;
    this.#output = (async () => {
      for await (const chunk of child.stderr.pipeThrough(new TextDecoderStream())) {
        printed += chunk;
        if (printed.length > 100_000) printed = printed.slice(-50_000);
      }
      over = true;
      return printed;
    })();
    await until(() => over || /Server is ready/.test(printed), "nats-server is ready");
    if (over) throw new Error(`nats-server ended: ${printed}`);
    this.port = Number(/client connections on 127\.0\.0\.1:(\d+)/.exec(printed)![1]);
  }

  signal(signal: Deno.Signal): void {
    this.#child?.kill(signal);
  }

  /** Kills it. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    try {
      child?.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await child?.status;
    await this.#output;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await deadline(this.kill(), "the end of nats-server");
    this.scratch[Symbol.dispose]();
  }
}
