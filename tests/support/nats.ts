/** nats-server as a process, on loopback. */
import { connect } from "@nats-io/transport-node";
import { formatAddress, type TcpAddress } from "../../lib/net/mod.ts";
import { deadline, until } from "./deadline.ts";
import { ownAddress } from "./own_address.ts";
import { ROOT } from "./programs.ts";
import { Scratch } from "./scratch.ts";
import { programPath } from "./tools.ts";

/** How a server is started. */
export interface NatsServerOptions {
  /** What its configuration holds besides the address. */
  readonly config?: string | undefined;
  /** @default {one of its own} */
  readonly address?: TcpAddress | undefined;
}

/** A nats-server. Disposing of it kills it. */
export class NatsServer implements AsyncDisposable {
  readonly scratch = new Scratch();
  readonly address: TcpAddress;
  readonly #program: string;
  readonly #config: string;
  #child: Deno.ChildProcess | undefined;
  #output: Promise<string> | undefined;

  private constructor(program: string, { config = "", address = ownAddress() }: NatsServerOptions) {
    this.#program = program;
    this.#config = config;
    this.address = address;
  }

  /** Starts one; `undefined` where there is no nats-server. */
  static async start(
    what: string,
    options: NatsServerOptions = {},
  ): Promise<NatsServer | undefined> {
    const program = programPath("nats-server", what);
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
    return `nats://${this.servers}`;
  }

  /** What clients of NATS are given. */
  get servers(): string {
    return formatAddress(this.address);
  }

  /** Starts it, with what it kept before. */
  async restart(): Promise<void> {
    const { scratch } = this;
    const config = scratch.write(
      "nats.conf",
      `listen: "${this.servers}"\n` + this.#config.replaceAll("$DIR", scratch.path),
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

/** Three servers that are a cluster with JetStream. */
export class NatsCluster implements AsyncDisposable {
  readonly servers: readonly NatsServer[];

  private constructor(servers: readonly NatsServer[]) {
    this.servers = servers;
  }

  /** Starts them, and waits until they have a leader; `undefined` where there is no nats-server. */
  static async start(what: string): Promise<NatsCluster | undefined> {
    if (programPath("nats-server", what) === undefined) return undefined;
    const places = [0, 1, 2].map(() => formatAddress(ownAddress()));
    const routes = places.map((place) => `"nats://${place}"`).join(", ");
    await using stack = new AsyncDisposableStack();
    const servers = await Promise.all([0, 1, 2].map(async (i) => {
      const config = `server_name: n${i}\njetstream { store_dir: "$DIR/js" }\n` +
        `cluster { name: c, listen: "${places[i]}", routes: [${routes}] }\n`;
      return stack.use((await NatsServer.start(what, { config }))!);
    }));
    const cluster = new NatsCluster(servers);
    await cluster.formed();
    stack.move();
    return cluster;
  }

  /** What gateways are given. */
  get urls(): string[] {
    return this.servers.map(({ url }) => url);
  }

  /** Waits until a stream can be kept by all three. */
  async formed(): Promise<void> {
    const nats = await connect({ servers: this.servers.map(({ servers }) => servers) });
    try {
      const ask = async (what: string, config: object) => {
        const answer = await nats.request(`$JS.API.STREAM.${what}`, JSON.stringify(config));
        const { error } = answer.json<{ error?: { code: number } }>();
        // One that was deleted by a request whose answer was lost is not found.
        return error === undefined || (what.startsWith("DELETE") && error.code === 404);
      };
      const probe = { name: "probe", subjects: ["_probe"], num_replicas: 3 };
      await until(() => ask("CREATE.probe", probe).catch(() => false), "the cluster has formed");
      await until(() => ask("DELETE.probe", {}).catch(() => false), "the probe is deleted");
    } finally {
      await nats.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
  }
}
