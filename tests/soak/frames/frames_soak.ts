import type { RunningSoak, Soak } from "../soak.ts";
import { startAppTarget } from "./app_target.ts";
import { startBrokerTarget, startStreamsTarget } from "./broker_target.ts";
import { startEchoTarget } from "./echo_target.ts";
import { PLAIN, type Target, TLS, type Transport } from "./target.ts";
import { Victim } from "./victim.ts";

type Start = (name: string, transport: Transport) => Promise<Target>;

const SERVERS: Record<string, Start> = {
  "echo-server": (name, transport) => startEchoTarget(name, ["echo-server"], transport),
  "multiconn-server": (name, transport) => startEchoTarget(name, ["multiconn-server"], transport),
  // Threads share a port on Linux alone.
  ...Deno.build.os === "linux" && {
    "multiconn-server-threads": (name: string, transport: Transport) =>
      startEchoTarget(name, ["multiconn-server", "--workers", "2"], transport),
  },
  "app-server": (name, transport) => startAppTarget(name, [], transport),
  "app-server-writable": (name, transport) => startAppTarget(name, ["--writable"], transport),
  "broker": startBrokerTarget,
  "broker-streams": startStreamsTarget,
};

/** Sends each server frames with mistakes in them, over TCP and over TLS. */
export const FRAME_SOAKS: readonly Soak[] = Object.entries(SERVERS).flatMap(([name, start]) => [
  soakOf(name, (name) => start(name, PLAIN)),
  soakOf(`${name}-tls`, (name) => start(name, TLS)),
]);

function soakOf(name: string, start: (name: string) => Promise<Target>): Soak {
  return {
    name,
    async start(): Promise<RunningSoak> {
      const target = await start(name);
      const victim = new Victim(target);
      return {
        round: (random) => victim.round(random),
        get summary() {
          return victim.summary;
        },
        get frames() {
          return victim.frames;
        },
        [Symbol.asyncDispose]: () => target[Symbol.asyncDispose](),
      };
    },
  };
}
