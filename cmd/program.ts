import config from "../deno.json" with { type: "json" };
import { importLater } from "../lib/base/import_later.ts";
import type { Program } from "./_cli/multi.ts";
import type { TopicEntry } from "./_cli/topics.ts";

/** The program: every role is a subcommand, and only the one that is called is loaded. */
export const program: Program = {
  name: "socktool",
  summary: "servers, clients, load and messages for programs that talk over TCP",
  version: config.version,
  commands: [
    {
      name: "echo-server",
      summary: "send every client its own bytes back",
      triedAs: ["echo", "server"],
      load: async () =>
        (await importLater<typeof import("./echo_server.ts")>(
          new URL("./echo_server.ts", import.meta.url),
        )).command,
    },
    {
      name: "echo-client",
      summary: "send text or stdin to an echo server, print and check what comes back",
      triedAs: ["echo", "client", "connect"],
      load: async () =>
        (await importLater<typeof import("./echo_client.ts")>(
          new URL("./echo_client.ts", import.meta.url),
        )).command,
    },
    {
      name: "multiconn-server",
      summary: "echo for many clients at once, and report each one",
      load: async () =>
        (await importLater<typeof import("./multiconn_server.ts")>(
          new URL("./multiconn_server.ts", import.meta.url),
        )).command,
    },
    {
      name: "multiconn-client",
      summary:
        "send the tutorial's two messages on many connections, or measure an echo server under load",
      load: async () =>
        (await importLater<typeof import("./multiconn_client.ts")>(
          new URL("./multiconn_client.ts", import.meta.url),
        )).command,
    },
    {
      name: "load",
      summary: "put any server of requests and answers, or a broker, under load and measure it",
      triedAs: ["bench", "benchmark", "load-test"],
      load: async () =>
        (await importLater<typeof import("./load.ts")>(
          new URL("./load.ts", import.meta.url),
        )).command,
    },
    {
      name: "app-server",
      summary: "answer framed search requests, over files or the tutorial's three entries",
      triedAs: ["serve", "server", "index-server"],
      load: async () =>
        (await importLater<typeof import("./app_server.ts")>(
          new URL("./app_server.ts", import.meta.url),
        )).command,
    },
    {
      name: "app-client",
      summary: "send a request to an app server and print its answer",
      triedAs: ["client", "search", "get", "put"],
      load: async () =>
        (await importLater<typeof import("./app_client.ts")>(
          new URL("./app_client.ts", import.meta.url),
        )).command,
    },
    {
      name: "index",
      summary: "back up or check the index of an app server, also while it is served",
      load: async () =>
        (await importLater<typeof import("./index.ts")>(
          new URL("./index.ts", import.meta.url),
        )).command,
    },
    {
      name: "broker",
      summary: "deliver publications to their subscribers, and tell slow ones what they missed",
      triedAs: ["server", "pubsub", "nats"],
      load: async () =>
        (await importLater<typeof import("./broker.ts")>(
          new URL("./broker.ts", import.meta.url),
        )).command,
    },
    {
      name: "pub",
      summary: "publish messages on a broker",
      triedAs: ["publish"],
      load: async () =>
        (await importLater<typeof import("./pub.ts")>(
          new URL("./pub.ts", import.meta.url),
        )).command,
    },
    {
      name: "sub",
      summary: "subscribe on a broker, and print what is published",
      triedAs: ["subscribe", "consume"],
      load: async () =>
        (await importLater<typeof import("./sub.ts")>(
          new URL("./sub.ts", import.meta.url),
        )).command,
    },
    {
      name: "stream",
      summary: "make, list, change and purge the streams of a broker, and see to dead letters",
      load: async () =>
        (await importLater<typeof import("./stream.ts")>(
          new URL("./stream.ts", import.meta.url),
        )).command,
    },
    {
      name: "proxy",
      summary: "stand between clients and a server, and do to connections what networks do",
      triedAs: ["relay", "forward", "toxiproxy"],
      load: async () =>
        (await importLater<typeof import("./proxy.ts")>(
          new URL("./proxy.ts", import.meta.url),
        )).command,
    },
    {
      name: "tap",
      summary: "stand between clients and a server, and show each frame that passes",
      triedAs: ["sniff", "tcpflow", "spy", "mitm"],
      load: async () =>
        (await importLater<typeof import("./tap.ts")>(
          new URL("./tap.ts", import.meta.url),
        )).command,
    },
    {
      name: "inspect",
      summary: "show the frames, conversations and latencies in a capture, or in a stream of bytes",
      triedAs: ["capture", "dump", "decode", "tcpdump", "pcap"],
      load: async () =>
        (await importLater<typeof import("./inspect.ts")>(
          new URL("./inspect.ts", import.meta.url),
        )).command,
    },
    {
      name: "replay",
      summary: "play the clients or the server of a recording, and check what the other side says",
      triedAs: ["play", "goreplay", "tcpreplay"],
      load: async () =>
        (await importLater<typeof import("./replay.ts")>(
          new URL("./replay.ts", import.meta.url),
        )).command,
    },
    {
      name: "wireshark",
      summary: "print, or install, the plugin with which Wireshark and tshark show frames",
      triedAs: ["tshark", "dissector"],
      load: async () =>
        (await importLater<typeof import("./wireshark.ts")>(
          new URL("./wireshark.ts", import.meta.url),
        )).command,
    },
    {
      name: "health",
      summary: "ask a server's HTTP side whether it is well; the exit code says so",
      triedAs: ["ping", "status", "check"],
      load: async () =>
        (await importLater<typeof import("./health.ts")>(
          new URL("./health.ts", import.meta.url),
        )).command,
    },
    {
      name: "completions",
      summary: "print a script that completes socktool's commands and flags in a shell",
      load: async () =>
        (await importLater<typeof import("./completions.ts")>(
          new URL("./completions.ts", import.meta.url),
        )).completionsCommand(program),
    },
    {
      name: "man",
      summary: "print the manual page in troff, for man and the like",
      load: async () =>
        (await importLater<typeof import("./man.ts")>(
          new URL("./man.ts", import.meta.url),
        )).manCommand(program),
    },
  ],
  topics: [
    topic("addresses", "how a server's address is written"),
    topic("units", "how sizes, times, numbers and rates are written"),
    topic("exit-codes", "what an exit code says, and where output goes"),
    topic("signals", "what Ctrl-C and other signals do"),
    topic("environment", "the environment variables that are read"),
  ],
  examples: [
    ["socktool app-server --data docs", "serve searches in a folder"],
    ["socktool app-client search 'white rab*'", "search in it"],
    [
      "socktool load :5634 50 --duration 10s --rate 10k",
      "load a server",
    ],
  ],
};

/** A topic of `help_topics.ts`. */
function topic(name: string, summary: string): TopicEntry {
  return {
    name,
    summary,
    async load() {
      const { helpTopics } = await importLater<typeof import("./help_topics.ts")>(
        new URL("./help_topics.ts", import.meta.url),
      );
      return await helpTopics[name]!(program);
    },
  };
}
