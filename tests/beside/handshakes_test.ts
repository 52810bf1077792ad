/** Clients that do not complete their TLS handshakes hold up no other. */
import { assert, assertEquals } from "@std/assert";
import type { TcpAddress } from "../../lib/net/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { assertFeltLittle, p99 } from "../support/neighbour.ts";
import { ServerProgram } from "../support/programs.ts";
import { assertEchoes, TLS_FILES } from "../support/tls.ts";
import { isInstalled } from "../support/tools.ts";

const SLOW = 500;

Deno.test({
  name: "500 clients that do not complete their handshakes stop nobody, even with 256 descriptors",
  ignore: Deno.build.os !== "linux" || !isInstalled("python3", "handshakes that never end"),
  async fn() {
    const tls = ["--tls-cert", TLS_FILES.cert, "--tls-key", TLS_FILES.key];
    const args = ["run", "-A", `${import.meta.dirname}/../../cmd/socktool.ts`, "echo-server", ":0"];
    // The runtime says where it has no descriptor for certificates that are named there.
    const env = { NODE_EXTRA_CA_CERTS: "" };
    await using server = await ServerProgram.start([...args, ...tls], { openFiles: 256, env });
    const descriptors = () => [...Deno.readDirSync(`/proc/${server.pid}/fd`)].length;
    const { port } = server.address as TcpAddress;
    await assertEchoes(server.address as TcpAddress);
    const before = descriptors();
    const script = `${import.meta.dirname}/../support/slow_handshakes.py`;
    const child = new Deno.Command("python3", {
      args: [script, String(port), String(SLOW), TLS_FILES.ca],
      stdin: "piped",
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
    let line = "";
    while (!line.endsWith("\n")) {
      const { value, done } = await deadline(reader.read(), "the healthy clients");
      assert(!done, "a healthy client failed");
      line += value;
    }
    const { quiet, beside, open } = JSON.parse(line) as SlowHandshakes;
    assert(open > SLOW / 20, `${open} of them are connected`);
    assert(descriptors() < 200, `${descriptors()} descriptors`);
    await child.stdin.close();
    await child.status;
    // A machine that is busy with something else may disturb one of two attacks.
    const [best] = beside.toSorted((a, b) => p99(a) - p99(b));
    assertFeltLittle(best!, quiet, "beside slow handshakes");
    // A connection of the server's to itself, by which clients take turns, may have come up.
    await until(() => descriptors() <= before + 4, "the descriptors are free again");
    // A machine that is busy may close what it gave up so late that descriptors run short for a moment.
    const said = server.err.split("\n").filter((line) => !line.includes("too many open files"));
    assertEquals(said.length, 2, `nothing is said of strangers: ${server.err}`);
  },
});

/** What the script prints. */
interface SlowHandshakes {
  readonly quiet: number[];
  readonly beside: number[][];
  readonly open: number;
}
