/** Care for an app server's index: `socktool index`. */
import { resolve } from "node:path";
import { backupIndex, checkIndex } from "../lib/search/mod.ts";
import {
  defineCommand,
  EXIT,
  formatBytes,
  jsonFlag,
  quietFlag,
  runMain,
  UsageError,
} from "./_cli/mod.ts";

export const command = defineCommand({
  name: "index",
  summary: "back up or check the index of an app server, also while it is served",
  arguments: {
    action: {
      type: "choice",
      choices: ["backup", "check"],
      help: "copy the index as it is at one moment, or look whether it is whole",
    },
    index: { type: "path", help: "the index, as --index of app-server names it" },
    file: { type: "path", optional: true, help: "the file that the backup is written to" },
  },
  flags: { ...jsonFlag, ...quietFlag },
  examples: [
    ["socktool index backup wiki.db wiki-backup.db", "a copy that is whole, while it is served"],
    ["socktool index check wiki-backup.db", "whether a file is whole, and how much is in it"],
  ],
  notes: [
    "Copying the file itself by cp is no backup: what was written last is in a second file beside " +
    "it, FILE-wal, and changes while it is copied.",
  ],
  exitCodes: { 1: "failed, or the index is not whole" },
  async run({ flags, args }, { out, log }) {
    const { action, file } = args;
    const index = resolve(args.index);
    if (action === "backup") {
      if (file === undefined) throw new UsageError("index backup: name the FILE to be written");
      const bytes = await backupIndex(index, resolve(file));
      if (flags.json) await out.json({ type: "backup", index, file: resolve(file), bytes });
      else log.info(`${formatBytes(bytes)} in ${file}`);
      return EXIT.ok;
    }
    if (file !== undefined) throw new UsageError("index check: name one file, the INDEX");
    const { problems, ...counts } = checkIndex(index);
    const { entries, files, put } = counts;
    const has = `${entries} entries, ${put} of them put by clients, of ${files} files`;
    if (flags.json) await out.json({ type: "check", index, ...counts, problems });
    else for (const problem of problems) log.error(problem);
    if (problems.length > 0) {
      log.error(`${args.index} is not whole: ${has}`);
      return EXIT.failed;
    }
    if (!flags.json) log.info(`${args.index} is whole: ${has}`);
    return EXIT.ok;
  },
});

if (import.meta.main) await runMain(command);
