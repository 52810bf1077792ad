import config from "../deno.json" with { type: "json" };
import type { Program } from "./_cli/multi.ts";

/** The program: every role is a subcommand, and only the one that is called is loaded. */
export const program: Program = {
  name: "socktool",
  summary: "servers, clients, load and messages for programs that talk over TCP",
  version: config.version,
  commands: [
    {
      name: "echo-server",
      summary: "send every client its own bytes back",
      load: async () => (await import("./echo_server.ts")).command,
    },
    {
      name: "echo-client",
      summary: "send text or stdin to an echo server, print and check what comes back",
      load: async () => (await import("./echo_client.ts")).command,
    },
    {
      name: "multiconn-server",
      summary: "echo for many clients at once, and report each one",
      load: async () => (await import("./multiconn_server.ts")).command,
    },
    {
      name: "multiconn-client",
      summary:
        "send the tutorial's two messages on many connections, or measure an echo server under load",
      load: async () => (await import("./multiconn_client.ts")).command,
    },
    {
      name: "app-server",
      summary: "answer framed search requests, over files or the tutorial's three entries",
      load: async () => (await import("./app_server.ts")).command,
    },
    {
      name: "app-client",
      summary: "send a request to an app server and print its answer",
      load: async () => (await import("./app_client.ts")).command,
    },
    {
      name: "broker",
      summary: "deliver publications to their subscribers, and tell slow ones what they missed",
      load: async () => (await import("./broker.ts")).command,
    },
    {
      name: "pub",
      summary: "publish messages on a broker",
      load: async () => (await import("./pub.ts")).command,
    },
    {
      name: "sub",
      summary: "subscribe on a broker, and print what is published",
      load: async () => (await import("./sub.ts")).command,
    },
    {
      name: "completions",
      summary: "print a script that completes socktool's commands and flags in a shell",
      load: async () => (await import("./completions.ts")).completionsCommand(program),
    },
    {
      name: "man",
      summary: "print the manual page in troff, for man and the like",
      load: async () => (await import("./man.ts")).manCommand(program),
    },
  ],
  examples: [
    ["socktool app-server --data docs", "serve searches in a folder"],
    ["socktool app-client search 'white rab*'", "search in it"],
    [
      "socktool multiconn-client 127.0.0.1 5634 50 --duration 10s --rate 10k",
      "load an echo server",
    ],
  ],
};
