import { defineCommand, quietFlag, verboseFlag } from "../../../cmd/_cli/mod.ts";
import type { Program } from "../../../cmd/_cli/mod.ts";
import { type CompletionModel, completionModel } from "../../../cmd/_cli/completions/model.ts";
import { Scratch } from "../../support/scratch.ts";

const serve = defineCommand({
  name: "serve",
  summary: "answer, and don't stop: [all] of it",
  arguments: { address: { type: "address", default: "127.0.0.1:1", help: "where" } },
  flags: {
    data: { type: "path", repeat: true, short: "d", help: "what's [served]: a\\b" },
    out: { type: "path", hint: "folder", help: "where to" },
    slow: { type: "choice", choices: ["drop-new", "drop-old", "block"], help: "when slow" },
    wait: { type: "duration", help: "how long" },
    secret: { type: "boolean", hidden: true, help: "not shown" },
    ...quietFlag,
    ...verboseFlag,
  },
  examples: [],
  run() {},
});

const convert = defineCommand({
  name: "convert",
  summary: "make one of another",
  arguments: {
    format: { type: "choice", choices: ["json", "text"], help: "into what" },
    file: { type: "path", repeat: true, help: "which" },
  },
  examples: [],
  run() {},
});

const count = defineCommand({
  name: "count",
  summary: "count to a number",
  arguments: { n: { type: "count", help: "to what" } },
  examples: [],
  run() {},
});

/** A program with each kind of flag and word. */
export const demoProgram: Program = {
  name: "demo",
  summary: "for tests",
  version: "1.2.3",
  commands: [serve, convert, count].map((command) => ({
    name: command.name,
    summary: command.summary,
    load: () => Promise.resolve(command),
  })),
  topics: [{ name: "units", summary: "how sizes are written", load: () => Promise.resolve([]) }],
  examples: [],
};

/** Its tables as completions see them. */
export const demoModel: CompletionModel = await completionModel(demoProgram);

/** A folder with files and folders to complete, one with a blank in its name. */
export function folderToComplete(): Scratch {
  const scratch = new Scratch();
  Deno.mkdirSync(scratch.at("folder"));
  scratch.write("my file.md", "");
  scratch.write("notes.txt", "");
  return scratch;
}
