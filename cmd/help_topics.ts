/** What `socktool help TOPIC` tells: what holds for all commands. */
import { CACHE_VARIABLE, environmentRows } from "./_cli/environment.ts";
import type { Program } from "./_cli/multi.ts";
import type { TopicPart } from "./_cli/topics.ts";

/** The texts by the names of the topics. */
export const helpTopics: Readonly<
  Record<string, (program: Program) => Promise<readonly TopicPart[]> | readonly TopicPart[]>
> = {
  addresses: () => [
    "Where a command takes an address, it can be written in any of these forms:",
    [
      ["HOST PORT", "two words, where the address is an argument: 127.0.0.1 5634"],
      ["HOST:PORT", "one word; also for flags: db.example:5634"],
      ["[IPV6]:PORT", "an IPv6 address stands in brackets: [::1]:5634"],
      [":PORT", "on this machine: 127.0.0.1"],
      ["HOST", "with the port that the command has by default"],
      ["unix:PATH", "a Unix socket; not on Windows"],
      ["unix:@NAME", "an abstract Unix socket, on Linux: it has no file"],
    ],
    "A server that is given port 0 takes a free port; the line `listening on …` says which, and " +
    "with --json it is a field. A server on 0.0.0.0 or [::] listens on all addresses of the " +
    "machine: whoever reaches the machine reaches it.",
  ],
  units: () => [
    "Sizes, times, numbers and rates are read with units. They are printed with three digits, in " +
    "a form that can be read again.",
    [
      [
        "SIZE",
        "bytes: 512, 64KiB, 1.5MB; KiB, MiB, GiB, TiB count by 1,024, kB, MB, GB, TB by 1,000",
      ],
      ["TIME", "500ms, 3s, 1h30m, 2d, 250us; 0 is none. A number needs its unit: 5 is refused"],
      ["N", "a whole number; where many are usual also 10k, 1.5M"],
      ["RATE", "per second: 250, 10k, 0.5; or 6/m, 90/h"],
    ],
    "In JSON, times are milliseconds, sizes are bytes and rates are per second: plain numbers.",
  ],
  "exit-codes": () => [
    [
      ["0", "all went well; a server ended as it was asked to"],
      ["1", "it failed: the message on stderr says what was tried, where, and what happened"],
      ["2", "wrong usage: the message says which word, and what was probably meant"],
      ["3", "a threshold that was asked for was missed: load --fail-if, and the like"],
      ["130", "a client was interrupted"],
    ],
    "Data goes to stdout and everything else to stderr, so that output can be piped. With --json, " +
    'a run that fails ends with a line {"type":"error", …}.',
  ],
  signals: () => [
    "The first Ctrl-C (SIGINT) or SIGTERM ends a command in order: a server accepts nobody more " +
    "and answers what has come, for as long as --drain-timeout says; a client finishes what it " +
    "has begun. The second ends it at once.",
    [
      [
        "SIGHUP",
        "without a terminal, a server reads its --auth file and its certificate again; on a " +
        "terminal, which was closed, it ends in order",
      ],
      ["| head", "a command whose output nobody reads any more ends quietly"],
    ],
  ],
  environment: async (program) => {
    const commands = await Promise.all(program.commands.map(({ load }) => load()));
    return [
      "A flag that is given counts more than its variable. No other variables are read.",
      [...environmentRows(commands.map(({ flags }) => flags)), CACHE_VARIABLE],
      "Secrets are better given by a variable than by a flag: other users of the machine can see " +
      "the arguments of a process.",
    ];
  },
};
