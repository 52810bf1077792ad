/** Cares for the streams of a broker: `socktool stream`. */
import type {
  BrokerClient,
  StreamChange,
  StreamInit,
  StreamStoreProgress,
} from "../lib/pubsub/mod.ts";
import { backupStreamStore, checkStreamStore, repairStreamStore } from "../lib/pubsub/mod.ts";
import {
  type Context,
  defineCommand,
  describeError,
  EXIT,
  formatBytes,
  jsonFlag,
  quietFlag,
  runMain,
} from "./_cli/mod.ts";
import type { AnswerLimit } from "./_pubsub/answer_limit.ts";
import { brokerFlags, withClient } from "./_pubsub/client.ts";
import { printMessage } from "./_pubsub/incoming.ts";
import { receiveBackup } from "./_pubsub/receive_backup.ts";
import {
  type Action,
  ACTIONS,
  type Care,
  checkFlags,
  checkWords,
} from "./_pubsub/stream_actions.ts";
import { printConsumers, printStreams } from "./_pubsub/stream_tables.ts";

export const command = defineCommand({
  name: "stream",
  summary: "make, list, change and purge the streams of a broker, and see to dead letters",
  arguments: {
    action: { type: "choice", choices: ACTIONS, help: "what to do" },
    name: {
      type: "string",
      optional: true,
      placeholder: "NAME|FILE",
      help: "the stream; for backup, the file to be written",
    },
    more: {
      type: "string",
      optional: true,
      repeat: true,
      placeholder: "FILTER|CONSUMER",
      help: "for create and update, the topics that it keeps; for dead and redrive, the consumer",
    },
  },
  flags: {
    "max-age": {
      type: "duration",
      group: "Limits",
      help: "drop messages that are older; 0 for no limit",
    },
    "max-bytes": {
      type: "size",
      group: "Limits",
      help: "keep at most this much; 0 for no limit",
    },
    "max-count": {
      type: "count",
      group: "Limits",
      help: "keep at most this many messages; 0 for no limit",
    },
    "max-per-topic": {
      type: "count",
      min: 1,
      max: 1_000,
      group: "Limits",
      help: "keep at most this many messages of each topic",
    },
    full: {
      type: "choice",
      choices: ["drop-oldest", "refuse"],
      group: "Limits",
      help: "what happens beyond --max-bytes and --max-count",
    },
    keep: {
      type: "choice",
      choices: ["limits", "until-acked"],
      group: "Limits",
      help:
        "keep messages up to the limits, or until all consumers that get them are done with them",
    },
    sync: {
      type: "choice",
      choices: ["always", "interval"],
      help: "confirm what is on the disk, or what will be there within a second",
    },
    dedup: {
      type: "duration",
      min: 1,
      max: 86_400_000,
      help: "remember the ids of messages for this long",
    },
    "before-seq": {
      type: "count",
      min: 1,
      group: "Purge",
      help: "purge only the messages before this number",
    },
    filter: {
      type: "string",
      group: "Purge",
      help: "purge only messages on topics that this filter matches",
    },
    store: {
      type: "path",
      hint: "folder",
      placeholder: "DIR",
      help:
        "for backup, verify and repair, the folder of the store: --store of the broker. A backup " +
        "is made while the broker runs or not, and without this flag through a broker; a store is " +
        "verified and repaired while none runs",
    },
    timeout: {
      type: "duration",
      default: "10s",
      min: 1,
      help:
        "the limit for connecting, and for the broker's answer; to purge, to back up and to print " +
        "dead letters may take longer while the broker answers pings",
    },
    ...brokerFlags,
    ...jsonFlag,
    ...quietFlag,
  },
  examples: [
    ["socktool stream create orders 'orders.>' --max-age 7d", "keep what is published for a week"],
    ["socktool stream list", "all streams, in figures"],
    ["socktool stream consumers orders", "who works it off, and how far"],
    ["socktool stream purge orders --before-seq 1000", "drop what is old"],
    ["socktool stream dead orders billing", "print the dead letters of a consumer"],
    ["socktool stream backup copy.db", "copy all that the broker keeps"],
    ["socktool stream backup copy.db --store data", "the same from its folder, also without it"],
    ["socktool stream verify --store data", "look whether a store is whole"],
    ["socktool stream repair --store data", "keep what is whole of a damaged store"],
    ["socktool stream redrive orders billing", "have them delivered once more"],
  ],
  exitCodes: { 1: "failed, or the store is not whole" },
  async run({ flags, args, given }, context) {
    const { action, name, more } = args;
    checkWords(action, name === undefined ? more : [name, ...more]);
    checkFlags(action, flags, given);
    if (flags.store !== undefined) {
      return await careFor(action as Care, flags.store, name ?? "", context, flags.json);
    }
    const options = {
      onError: (error: unknown) => context.log.error(describeError(error)),
      limitMs: flags.timeout,
    };
    return await withClient(
      flags,
      context,
      options,
      (client, limit) => perform(action, name ?? "", more, client, limit, flags, context),
    );
  },
});

/** The flags that an action of the broker needs. */
interface ActionFlags extends SettingFlags {
  readonly "before-seq": number | undefined;
  readonly filter: string | undefined;
  readonly json: boolean;
}

/** Has the broker do something, and prints what came of it. */
async function perform(
  action: Action,
  name: string,
  more: readonly string[],
  client: BrokerClient,
  limit: AnswerLimit,
  flags: ActionFlags,
  context: Context,
): Promise<undefined> {
  const { streams } = client;
  const { out, log } = context;
  const { json } = flags;
  const [consumer = ""] = more;
  const what = `stream ${action}`;
  const answer = <T>(asked: Promise<T>) => limit.wait(what, asked);
  switch (action) {
    case "create": {
      const settings = settingsOf(flags);
      return printStreams(
        [await answer(streams.create(name, { topics: more, ...settings }))],
        context,
        json,
      );
    }
    case "update": {
      const topics = more.length > 0 ? more : undefined;
      const change: StreamChange = { topics, ...settingsOf(flags) };
      return printStreams([await answer(streams.update(name, change))], context, json);
    }
    case "info":
      return printStreams([await answer(streams.info(name))], context, json);
    case "list":
      return printStreams(await answer(streams.list()), context, json);
    case "delete":
      await answer(streams.delete(name));
      if (json) out.json({ type: "deleted", name });
      return;
    case "purge": {
      const which = { beforeSeq: flags["before-seq"], filter: flags.filter };
      return printStreams([await limit.waitLong(what, streams.purge(name, which))], context, json);
    }
    case "consumers":
      return printConsumers(await answer(streams.consumers(name)), context, json);
    case "dead": {
      // Without a dead letter there is no stream of them.
      if ((await answer(streams.consumer(name, consumer))).dead === 0) return;
      const filter = `_dead.${name}.${consumer}`;
      const print = async () => {
        for await (const letter of client.replay("_dead", { filter, live: false })) {
          limit.came();
          await printMessage(letter, { json }, out);
        }
      };
      return void await limit.waitLong(what, print());
    }
    case "backup": {
      const bytes = await receiveBackup(client, limit, name);
      if (json) out.json({ type: "backup", file: name, bytes });
      else log.info(`${formatBytes(bytes)} in ${name}`);
      return;
    }
    default: {
      const redriven = await answer(streams.redrive(name, consumer));
      if (json) out.json({ type: "redriven", stream: name, consumer, redriven });
      else out.line(String(redriven));
    }
  }
}

/** Copies a store, checks or repairs one. */
async function careFor(
  action: Care,
  store: string,
  file: string,
  { out, log, progress, signal }: Context,
  json: boolean,
): Promise<number> {
  const options = {
    signal,
    onProgress: (done: StreamStoreProgress) => progress.show(() => progressText(done)),
  };
  if (action === "backup") {
    await backupStreamStore(store, file, { signal });
    const { size } = await Deno.stat(file);
    if (json) out.json({ type: "backup", store, file, bytes: size });
    else log.info(`${formatBytes(size)} in ${file}`);
    return EXIT.ok;
  }
  if (action === "repair") {
    const { streams, messages, lost, damaged } = await repairStreamStore(store, options);
    if (json) out.json({ type: "repair", store, streams, messages, lost, damaged });
    else {
      for (const what of lost) log.warn(`Lost: ${what}`);
      const kept = damaged === undefined ? "was whole" : `is whole; ${damaged} is as it was`;
      log.info(`${store} ${kept}: ${streams} streams, ${messages} messages`);
    }
    return EXIT.ok;
  }
  const { problems, streams, messages } = await checkStreamStore(store, options);
  const has = `${streams} streams, ${messages} messages`;
  if (json) out.json({ type: "verify", store, streams, messages, problems });
  else for (const problem of problems) log.error(problem);
  if (problems.length > 0) {
    log.error(`${store} is not whole: ${has}`);
    return EXIT.failed;
  }
  if (!json) log.info(`${store} is whole: ${has}`);
  return EXIT.ok;
}

function progressText({ step, messages, of }: StreamStoreProgress): string {
  if (step === "pages") return "checking the pages of the database";
  if (step === "copying") return `copied ${messages} messages`;
  return `checked ${messages} of ${of} messages`;
}

/** The flags of a stream's settings. */
interface SettingFlags {
  readonly "max-age": number | undefined;
  readonly "max-bytes": number | undefined;
  readonly "max-count": number | undefined;
  readonly "max-per-topic": number | undefined;
  readonly full: StreamInit["full"];
  readonly keep: StreamInit["keep"];
  readonly sync: StreamInit["sync"];
  readonly dedup: number | undefined;
}

function settingsOf(flags: SettingFlags): Omit<StreamInit, "topics"> {
  const limit = (value: number | undefined) => value === 0 ? Infinity : value;
  return {
    maxAgeMs: limit(flags["max-age"]),
    maxBytes: limit(flags["max-bytes"]),
    maxCount: limit(flags["max-count"]),
    maxPerTopic: flags["max-per-topic"],
    full: flags.full,
    keep: flags.keep,
    sync: flags.sync,
    dedupMs: flags.dedup,
  };
}

if (import.meta.main) await runMain(command);
