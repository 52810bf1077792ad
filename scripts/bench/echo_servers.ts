import { buildC, denoArgs, freePort, type ServerProcess, startServer } from "./support.ts";

/** An echo server of some kind, as it is started on a port. */
interface EchoProgram {
  readonly name: string;
  command(port: number): readonly [command: string, args: readonly string[]];
}

const NODE = `require("node:net").createServer({ noDelay: true }, (socket) => {
  socket.on("data", (bytes) => socket.write(bytes)).on("end", () => socket.end());
  socket.on("error", () => {});
}).listen(Number(process.argv[1]), "127.0.0.1");`;

const PYTHON = new URL("../../tests/interop/echo_peer.py", import.meta.url).pathname;

/** What people use for an echo peer; those that are not installed are left out. */
const OTHERS: readonly EchoProgram[] = [
  {
    name: "socat",
    command: (port) => ["socat", [`TCP-LISTEN:${port},bind=127.0.0.1,fork,nodelay`, "PIPE"]],
  },
  {
    name: "ncat",
    command: (port) => [
      "ncat",
      ["-l", "127.0.0.1", String(port), "-k", "-m", "200", "-e", "/bin/cat"],
    ],
  },
  { name: "Node's net", command: (port) => ["node", ["-e", NODE, String(port)]] },
  {
    name: "Python's selectors",
    command: (port) => ["python3", [PYTHON, "serve-many", "1000000000", String(port)]],
  },
];

/** An echo server that runs. */
export interface RunningEcho extends ServerProcess {
  readonly name: string;
}

/** Starts the C reference, ours, and all others that are installed, in this order. */
export async function startEchoServers(): Promise<RunningEcho[]> {
  const reference = await buildC("echo_ref");
  const programs: EchoProgram[] = [
    { name: "echo_ref", command: (port) => [reference, [String(port)]] },
    {
      name: "echo-server",
      command: (port) => [Deno.execPath(), denoArgs("cmd/echo_server.ts", `:${port}`, "-q")],
    },
    ...OTHERS,
  ];
  const running: RunningEcho[] = [];
  for (const { name, command } of programs) {
    const port = freePort();
    const [path, args] = command(port);
    try {
      const server = await startServer(path, args, port);
      running.push({ ...server, name });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return running;
}
