import { assertEquals } from "@std/assert";
import { dial, type TcpAddress } from "../../lib/net/mod.ts";
import { serveProxy } from "../../lib/proxy/mod.ts";
import { until } from "../support/deadline.ts";
import { latenciesBeside, ownWork } from "../support/neighbour.ts";
import { LOOPBACK } from "../support/peers.ts";
import { script, ServerProgram } from "../support/programs.ts";
import { isInstalled, runTool } from "../support/tools.ts";

/** All of them accepted and dialled for in one go would take 0.3 to 0.5 s. */
const CLIENTS = 2_500;

/**
 * What the healthy client may wait for this process, at p99: 50 to 80 ms are usual beside ten other busy
 * processes, where the same work takes twice the processor time.
 */
const BOUND_MS = 200;

/** Connects and leaves: PORT COUNT. */
const LEAVING = `
import socket, sys
for _ in range(int(sys.argv[2])):
    socket.create_connection(("127.0.0.1", int(sys.argv[1]))).close()
`;

Deno.test({
  name: "2,500 clients that connect and leave at once hold up no other client of a proxy",
  ignore: Deno.build.os === "windows" || !isInstalled("python3", "clients that leave"),
  async fn() {
    // In this process, its work would be counted too.
    await using server = await ServerProgram.start(script("cmd/echo_server.ts", ":0"));
    let closed = 0;
    await using proxy = await serveProxy(LOOPBACK, server.address, {
      observer: { closed: () => void closed++ },
    });
    using conn = await dial(proxy.address);
    const byte = Uint8Array.of(7);
    const request = async () => {
      await conn.write(byte);
      assertEquals(await conn.read(new Uint8Array(1)), 1);
    };
    const { port } = proxy.address as TcpAddress;
    const attack = async () => {
      closed = 0;
      const args = ["-c", LEAVING, `${port}`, `${CLIENTS}`];
      const { code, err } = await runTool("python3", args);
      assertEquals(code, 0, err);
      await until(() => closed === CLIENTS, "all are served");
    };
    const options = { everyMs: 2, work: ownWork, boundMs: BOUND_MS, tries: 3 };
    await latenciesBeside(request, attack, options);
  },
});
