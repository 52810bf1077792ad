/** A proxy between clients and a server: `socktool proxy`. */
import { type Address, formatAddress, isLoopback } from "../lib/net/mod.ts";
import { playScript, type ProxyObserver } from "../lib/proxy/mod.ts";
import {
  clientTlsFlags,
  defineCommand,
  httpFlags,
  jsonEvents,
  limitFlags,
  logFormatFlag,
  maxMemoryOf,
  outputFlags,
  runMain,
  serverTlsFlags,
  untilDrained,
  UsageError,
  warnOfOpenFiles,
} from "./_cli/mod.ts";
import { proxyTraffic } from "./_capture/proxy_traffic.ts";
import { startRecording } from "./_capture/recording.ts";
import { connectionReport } from "./_proxy/connection_report.ts";
import { importLater } from "../lib/base/import_later.ts";
import { openHttp } from "./_web/open_http.ts";
import { FAULT_NOTES, faultFlags, faultsOf, scriptOf } from "./_proxy/fault_flags.ts";
import { FaultLines } from "./_proxy/fault_report.ts";
import { relayArguments, relayFlags, startRelay } from "./_proxy/relaying.ts";

export const command = defineCommand({
  name: "proxy",
  summary: "stand between clients and a server, and do to connections what networks do",
  role: "server",
  arguments: relayArguments,
  flags: {
    ...faultFlags,
    ...relayFlags,
    "max-memory": limitFlags["max-memory"],
    http: {
      ...httpFlags.http,
      help:
        "show a live page on this address, on which faults are changed, as by JSON (GET and PUT " +
        "/api/faults); both need the token that is printed; port 0 picks a free port",
    },
    ...serverTlsFlags,
    ...clientTlsFlags,
    ...logFormatFlag,
    ...outputFlags,
  },
  examples: [
    ["socktool proxy :6000 :5634", "listen on port 6000, connect to port 5634"],
    [
      "socktool proxy :6000 :5634 --fault 'both slice 1B'",
      "send each byte by itself: does the reading loop hold?",
    ],
    [
      "socktool proxy :6000 :5635 --fault 'down delay 80ms jitter 20ms' --fault 'up loss 2%'",
      "a poor network",
    ],
    [
      "socktool proxy :6000 :80 --fault 'both reset after 10KiB conn 1..2' --expect-fired",
      "break off the first two connections",
    ],
    ["socktool proxy :6000 example.org:80 -v", "show who connects"],
    [
      "socktool proxy :6000 example.org:443 --tls -v",
      "take plain connections, connect with TLS",
    ],
    ["socktool proxy :0 unix:/tmp/echo.sock --json", "print what happens as JSON"],
  ],
  exitCodes: { 3: "a fault never did anything (--expect-fired)" },
  notes: [
    ...FAULT_NOTES,
    "Half-closed connections and resets pass in both directions. While one side does not read, " +
    "nothing is read from the other. A client whose server cannot be reached is reset.",
  ],
  async run({ flags, args, given }, context) {
    const faults = faultsOf(flags.fault);
    const steps = await scriptOf(flags.script);
    if (flags["expect-fired"] && faults.length + steps.length === 0) {
      throw new UsageError("--expect-fired needs --fault or --script beside it");
    }
    checkControl(flags.http);
    const events = flags.json ? jsonEvents(context.out) : undefined;
    const lines = new FaultLines(context, events);
    await warnOfOpenFiles(
      { "max-connections": 2 * flags["max-connections"] },
      given,
      context,
    );
    const what = `proxy of ${formatAddress(args.upstream)}`;
    using recorder = await startRecording(flags, what, context);
    const report: ProxyObserver = {
      ...connectionReport(context, events),
      fired: (fired) => lines.fired(fired),
      noticed: ({ id }, _, notice) => lines.noticed(id, notice),
    };
    const figures = flags.http ? await liveFigures() : undefined;
    const told = figures?.watch(report) ?? report;
    const observer = recorder ? proxyTraffic(undefined, recorder, told) : told;
    const proxy = await startRelay({ args, flags }, context, {
      faults,
      maxMemoryBytes: maxMemoryOf(flags),
      seed: flags.seed,
      observer,
    });
    if (faults.length + steps.length > 0) {
      if (flags.json) context.out.json({ type: "seed", seed: proxy.seed });
      else context.log.info(`seed ${proxy.seed} (--seed ${proxy.seed} repeats it)`);
    }
    const { json } = flags;
    await using http = await openHttp({ http: flags.http, json, insecure: false }, {}, context);
    if (http && figures) {
      const { controlRoutes, makeToken } = await importLater<
        typeof import("./_proxy/control_routes.ts")
      >(new URL("./_proxy/control_routes.ts", import.meta.url));
      const token = makeToken();
      http.add(controlRoutes(proxy, figures, token));
      http.ready();
      if (flags.json) context.out.json({ type: "token", token });
      else context.log.info(`token ${token}`);
    }
    using _script = playScript(proxy, steps);
    await untilDrained(proxy, context);
    return lines.summary(proxy, flags["expect-fired"]);
  },
});

/** Counts for the live page. Its module is loaded only then. */
async function liveFigures() {
  const { LiveFigures } = await importLater<typeof import("./_proxy/live_figures.ts")>(
    new URL("./_proxy/live_figures.ts", import.meta.url),
  );
  return new LiveFigures();
}

/** Who may ask on this address changes what the proxy does: it is for this machine only. */
function checkControl(http: Address | undefined): void {
  if (http === undefined || isLoopback(http)) return;
  throw new UsageError("--http: faults are changed from this machine only: take 127.0.0.1:PORT");
}

if (import.meta.main) await runMain(command);
