/**
 * Runs a page's blocks as a reader does who follows them from one heading to the next.
 *
 * @module
 */
import { program } from "../../../cmd/program.ts";
import { until } from "../../support/deadline.ts";
import { readConsole, type Step } from "./console.ts";
import { isExpected } from "./expected_output.ts";
import type { Block } from "./markdown.ts";
import { PortBlock, PortMap } from "./ports.ts";
import { Sandbox } from "./sandbox.ts";
import { Shell } from "./shell.ts";
import { CONFIG, expectedLogs } from "./typescript.ts";

/** How long a command may take, and output that is still to come. */
const TIMEOUT_MS = 30_000;

const commands = await Promise.all(
  program.commands.map(async ({ name, load }) => ({ name, command: await load() })),
);

const SERVERS = commands.filter(({ command }) => command.role === "server").map(({ name }) => name);

const DEFAULT_PORTS = commands.flatMap(({ command }) =>
  Object.values({ ...command.arguments, ...command.flags }).flatMap((spec) => {
    const { type, default: at } = spec as { type: string; default?: string };
    return type === "address" && at !== undefined ? [Number(/\d+$/.exec(at)?.[0] ?? 0)] : [];
  })
);

/**
 * Runs the blocks under one heading, in order, in a clone of their own.
 *
 * @throws {Error} that says which block is not true, and why.
 */
export async function runBlocks(
  blocks: readonly Block[],
  { timeoutMs = TIMEOUT_MS }: { readonly timeoutMs?: number } = {},
): Promise<void> {
  const run = blocks.filter(({ noRun }) => noRun === undefined);
  using block = new PortBlock();
  const ports = new PortMap(block, run.map(({ text }) => text), DEFAULT_PORTS);
  using sandbox = new Sandbox(String(ports));
  await using running = new AsyncDisposableStack();
  for (const block of run) {
    const job: Job = { block, ports, sandbox, running, timeoutMs };
    try {
      await RUNNERS[block.language]!(job);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${block.page}:${block.line} (${block.language}): ${reason}`);
    }
  }
}

interface Job {
  readonly block: Block;
  readonly ports: PortMap;
  readonly sandbox: Sandbox;
  /** What runs on until the next heading. */
  readonly running: AsyncDisposableStack;
  readonly timeoutMs: number;
}

const RUNNERS: Readonly<Record<string, (job: Job) => Promise<void> | void>> = {
  console: (job) => runSteps(job, readConsole(job.block.text)),
  sh: (job) => {
    const path = `${job.sandbox.folder()}/block.sh`;
    Deno.writeTextFileSync(path, job.ports.toReal(job.block.text));
    return runSteps(job, [{ command: `sh -e ${path}`, expected: ["…"] }], job.block.text);
  },
  ts: (job) => {
    const path = `${job.sandbox.folder()}/block.ts`;
    Deno.writeTextFileSync(path, job.ports.toReal(job.block.text));
    const command = `deno run -A --no-check --config ${CONFIG} ${path}`;
    return runSteps(job, [{ command, expected: expectedLogs(job.block.text) }]);
  },
  json: ({ block }) => void JSON.parse(block.text),
  text: () => {},
};

/** @param text What a server is started by, where that is not in the command. */
async function runSteps(job: Job, steps: readonly Step[], text?: string): Promise<void> {
  const { block, ports, sandbox, running } = job;
  const shell = new Shell(sandbox.cwd, sandbox.folder(), sandbox.env);
  await using ended = new AsyncDisposableStack();
  (block.keepsRunning ? running : ended).use(shell);
  let inBackground = false;
  for (const [i, { command, expected }] of steps.entries()) {
    const number = await shell.start(ports.toReal(command));
    const last = i === steps.length - 1;
    const goesOn = block.keepsRunning && last;
    inBackground ||= /&\s*$/.test(command);
    const printed = () => linesOf(ports.toPage(shell.printed));
    const fits = () =>
      isExpected(expected, printed(), { anyOrder: inBackground, timesVary: block.timesVary });
    const listens = () => !startsServer(text ?? command, goesOn) || shell.listens(number);
    const code = () => shell.exitCode(number);
    // Only what runs in the background can still print what is missing.
    const settled = () =>
      goesOn
        ? code() !== undefined || (listens() && fits())
        : code() !== undefined && ((listens() && fits()) || !inBackground);
    const inTime = await until(settled, command, job.timeoutMs).then(() => true, () => false);
    const story = `$ ${command}\n${printed().join("\n")}`;
    if (goesOn && code() !== undefined) {
      throw new Error(`it ended (exit code ${code()}):\n${story}`);
    }
    if (!goesOn && code() === undefined) throw new Error(`it does not end:\n${story}`);
    const asked = /^echo \$\?$/.test(steps[i + 1]?.command ?? "");
    if (code() && !asked) throw new Error(`exit code ${code()}:\n${story}`);
    if (!fits()) {
      throw new Error(`expected:\n${expected.join("\n")}\nprinted:\n${story}`);
    }
    if (!inTime) throw new Error(`it does not listen:\n${story}`);
    shell.forget();
  }
}

/** Whether a command starts one of our servers and goes on beside it. */
function startsServer(command: string, goesOn: boolean): boolean {
  if (!goesOn && !/&\s*$/.test(command)) return false;
  return SERVERS.some((name) =>
    new RegExp(`\\bsocktool\\s+${name}\\b|\\bcmd/${name.replaceAll("-", "_")}\\.ts\\b`).test(
      command,
    )
  );
}

function linesOf(text: string): string[] {
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines;
}
