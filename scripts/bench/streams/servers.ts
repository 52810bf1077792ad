/**
 * The servers that keep streams, each with a folder of its own that goes with it.
 *
 * @module
 */
import { denoArgs, freePort, startServer } from "../support.ts";

/** Servers that run. */
export interface StreamServers extends AsyncDisposable {
  /** The arguments of the client's module. */
  readonly args: readonly string[];
  /** The processes. */
  readonly pids: readonly number[];
}

/** A broker. */
export function startBroker(): Promise<StreamServers> {
  return started([
    (folder, port) => ({
      command: Deno.execPath(),
      args: denoArgs("cmd/broker.ts", `127.0.0.1:${port}`, "-q", "--store", folder),
    }),
  ]);
}

/**
 * Two redis-servers: one that syncs before it answers, and one that syncs each second. Both write
 * their log, and no snapshots beside it.
 */
export function startRedis(): Promise<StreamServers> {
  return started(["always", "everysec"].map((sync) => (folder, port) => ({
    command: "redis-server",
    args: ["--port", `${port}`, "--bind", "127.0.0.1", "--dir", folder, "--save", ""]
      .concat("--appendonly", "yes", "--appendfsync", sync, "--auto-aof-rewrite-percentage", "0"),
  })));
}

/**
 * Two nats-servers with JetStream: one that syncs before it answers, and one as it is by default.
 * Up to 2.9 the server has no setting for that; there its folder is marked with `chattr +S`, so that
 * the kernel syncs each write to its files.
 *
 * @throws {Error} where the file system cannot do that.
 */
export async function startNats(): Promise<StreamServers> {
  const hasSetting = !/v2\.[0-9]\./.test(await outputOf("nats-server", "--version"));
  return await started(["always", "default"].map((sync) => async (folder, port) => {
    const isMarked = sync === "always" && !hasSetting;
    if (isMarked) await outputOf("chattr", "+S", folder);
    const setting = sync === "always" && hasSetting ? "sync_interval: always" : "";
    const config = `${folder}/nats.conf`;
    await Deno.writeTextFile(config, `jetstream { store_dir: "${folder}/data"\n ${setting} }\n`);
    return {
      command: "nats-server",
      args: ["-a", "127.0.0.1", "-p", `${port}`, "-c", config],
    };
  }));
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

async function started(
  commands: readonly ((folder: string, port: number) => Command | Promise<Command>)[],
): Promise<StreamServers> {
  await using stack = new AsyncDisposableStack();
  const ports: string[] = [];
  const pids: number[] = [];
  for (const commandFor of commands) {
    const folder = await Deno.makeTempDir({ prefix: "socktool-bench-" });
    stack.defer(() => Deno.remove(folder, { recursive: true }));
    const port = freePort();
    const { command, args } = await commandFor(folder, port);
    const server = stack.use(await startServer(command, args, port));
    ports.push(String(port));
    pids.push(server.pid);
  }
  const running = stack.move();
  return { args: ports, pids, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function outputOf(command: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, { args }).output();
  if (success) return new TextDecoder().decode(stdout);
  const said = new TextDecoder().decode(stderr).trim();
  throw new Error(`${command} ${args.join(" ")} failed: ${said}`);
}
