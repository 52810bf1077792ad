import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { skip } from "../support/skip.ts";
import { runTool } from "../support/tools.ts";

/** Prints what each of some attempts fails with, where a machine has few ports or no IPv6. */
const PROGRAM = `
import { describeError } from "${ROOT}cmd/_cli/describe_error.ts";
import { dial, listen } from "${ROOT}lib/net/mod.ts";

const told = (error) => ({ code: error.code, message: error.message, told: describeError(error) });
const listener = await listen("127.0.0.1:20000");
const results = {};
const held = [];
for (let i = 0; i < 60 && !results.connect; i++) {
  try {
    held.push(await dial("127.0.0.1:20000"));
  } catch (error) {
    results.connect = told(error);
  }
}
results.held = held.length;
const attempts = {
  listen: () => listen("127.0.0.1:0"),
  inUse: () => listen("127.0.0.1:20000"),
  refused: () => dial("127.0.0.1:9"),
  noIpv6: () => dial("[::1]:20000"),
  noIpv6Listen: () => listen("[::1]:20000"),
  notHere: () => listen("192.0.2.1:20000"),
};
for (const [name, attempt] of Object.entries(attempts)) {
  try {
    (await attempt()).close();
    results[name] = "nothing";
  } catch (error) {
    results[name] = told(error);
  }
}
console.log(JSON.stringify(results));
Deno.exit();
`;

/** A network of its own, in which there are 50 ports for connections and no IPv6. */
const SETUP = "ip link set lo up && echo 40000 40049 > /proc/sys/net/ipv4/ip_local_port_range && " +
  "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6";

async function runInNetwork(command: string) {
  return await runTool("unshare", ["-rn", "sh", "-c", `${SETUP} && ${command}`], {
    env: { NO_COLOR: "1" },
  });
}

Deno.test({
  name: "a machine without free ports, or without IPv6, is told as such",
  ignore: Deno.build.os !== "linux",
  async fn() {
    try {
      if ((await runInNetwork("true")).code !== 0) throw new Error("not permitted");
    } catch {
      return skip("this user may not make a network of its own");
    }
    using scratch = new Scratch();
    const script = scratch.write("ports.ts", PROGRAM);
    const { code, out, err } = await runInNetwork(
      `"${Deno.execPath()}" run -A --no-check ${script}`,
    );
    assertEquals(code, 0, err);
    const results = JSON.parse(out);
    assertEquals(results.held, 50);
    for (const operation of ["connect", "listen"]) {
      const { code, told, message } = results[operation];
      assertEquals(code, "no-free-port", message);
      assertStringIncludes(message, "no local port is free");
      for (const part of ["TIME_WAIT", "ip_local_port_range"]) assertStringIncludes(told, part);
      assert(!told.includes("interface"), told);
    }
    assertEquals(results.inUse.code, "address-in-use");
    // The port is chosen after the connection was refused or not: here there is none to choose.
    assertEquals(["refused", "no-free-port"].includes(results.refused.code), true);
    for (const name of ["noIpv6", "noIpv6Listen"]) {
      assertEquals(results[name].code, "bad-address", results[name].message);
      assertStringIncludes(results[name].told, "IPv6 is switched off on this machine");
    }
    assertEquals(results.notHere.code, "address-not-available");
    assertStringIncludes(results.notHere.told, "no network interface has this address");
  },
});
