/** Whatever one client asks an app server for, the others are answered meanwhile. */
import { assertNoticed, latenciesBeside } from "../support/neighbour.ts";
import {
  processWorkMs,
  ROOT,
  ServerProgram,
  startAppServer,
  workedMs,
} from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { Attacker, neighbour, serverArgs } from "./app_server_attacks.ts";
import { ATTACKS } from "./attack_app_server.ts";

Deno.test("whatever one client asks for, others are answered within 100 ms", async (t) => {
  using scratch = new Scratch();
  await using server = await startAppServer(serverArgs(scratch));
  await using attacker = new Attacker();
  using stack = new DisposableStack();
  const request = await neighbour(server, stack);
  const work = Deno.build.os === "linux" ? () => processWorkMs(server.pid) : undefined;
  for (const name of Object.keys(ATTACKS)) {
    const attack = () => attacker.attack(server, name);
    await t.step(name, () => latenciesBeside(request, attack, { everyMs: 2, work, tries: 3 }));
  }
});

/** Attacks that have to show it if the server keeps others waiting. */
const SHOWING = [
  "JSON of 16 MiB in one string",
  "JSON of 64 KiB in thousands of arrays",
];

/** More than a right server keeps others waiting, also where a machine is several times as fast. */
const FAR_MORE_MS = 15;

Deno.test({
  name: "an app server that does all its work in one go is noticed",
  ignore: Deno.build.os !== "linux",
  async fn(t) {
    const faults = `${ROOT}tests/beside/blocking_app_server.ts`;
    const program = ["run", "-A", "--preload", faults, `${ROOT}cmd/socktool.ts`];
    const flags = ["app-server", ":0", "--writable", "--max-content", "32MiB"];
    await using server = await ServerProgram.start([...program, ...flags]);
    await using attacker = new Attacker();
    using stack = new DisposableStack();
    const request = await neighbour(server, stack, [{ action: "search", value: "ring" }]);
    for (const name of SHOWING) {
      const attack = () => attacker.attack(server, name);
      const work = () => workedMs(server.pid);
      const options = { everyMs: 2, work, boundMs: FAR_MORE_MS };
      await t.step(name, () => assertNoticed(() => latenciesBeside(request, attack, options)));
    }
  },
});
