import { importLater } from "../../lib/base/import_later.ts";
import { redirectErrors } from "../../lib/base/report.ts";
import { asksForHelp } from "./argv.ts";
import type { AnyCommand } from "./command.ts";
import { addressText, describeError, lowerFirst } from "./describe_error.ts";
import { EXIT, UsageError } from "./exit_code.ts";
import { type Host, processHost } from "./host.ts";
import { Hangups, Interruption } from "./signals.ts";
import { LiveLine } from "./live_line.ts";
import { openManager } from "./open_manager.ts";
import { Log, type LogFields, type LogFormat, type LogLevel, logObject } from "./log.ts";
import { lossyLines } from "./lossy_output.ts";
import { Output, printText } from "./output.ts";
import { type AnyInput, parseInput } from "./parse.ts";
import { createStyle } from "./terminal_text.ts";

/** How long a command may go on after the reader of its stdout has gone. */
const CLOSED_GRACE_MS = 500;

/** Runs a command as the whole program: reads `Deno.args`, ends the process with its exit code. */
export async function runMain(command: AnyCommand): Promise<never> {
  Deno.exit(await runCommand(command));
}

/** Runs a command in a process, or in a test's stand-in for one. Resolves to the exit code. */
export async function runCommand(command: AnyCommand, host: Host = processHost()): Promise<number> {
  if (asksForHelp(host.args)) return await showHelp(command, host);
  try {
    const input = parseInput(command, host.args, (name) => host.env(name));
    // The word was not `-h` alone, but for instance `-vh`.
    if (input.flags["help"]) return await showHelp(command, host);
    return await runInput(command, input, host);
  } catch (error) {
    return await reportFailure(error, host, command.name);
  }
}

async function showHelp(command: AnyCommand, host: Host): Promise<number> {
  const style = createStyle(host.stdout.isTerminal() && wantsColor(host));
  const { renderHelp } = await importLater<typeof import("./help.ts")>(
    new URL("./help.ts", import.meta.url),
  );
  await printText(host.stdout, renderHelp(command, { columns: host.columns(), style }));
  return EXIT.ok;
}

/**
 * Says on stderr what went wrong, and returns the exit code for it. With `--json` an object of type
 * `error` goes to stdout too, as its last line.
 *
 * @param command The command's name, for the line that says where help is; "" if there is none.
 */
export async function reportFailure(error: unknown, host: Host, command: string): Promise<number> {
  const style = createStyle(host.stderr.isTerminal() && wantsColor(host));
  const log = new Log(host.stderr, "normal", style, undefined, logFormatOf(host));
  const message = describeError(error);
  const isUsage = error instanceof UsageError;
  const exitCode = isUsage ? EXIT.usage : EXIT.failed;
  log.error(message);
  if (isUsage) log.info(`run 'socktool ${command}${command === "" ? "" : " "}--help' for help`);
  else if (host.args.includes("--debug")) log.info(stackOf(error));
  if (wantsJson(host)) {
    const out = new Output(host.stdout);
    out.json({ type: "error", message, ...fieldsOf(error), exit_code: exitCode });
    await out.flush();
  }
  return exitCode;
}

/** What a program can tell an error by: the fields that errors of the library have. */
function fieldsOf(error: unknown): Record<string, string> {
  if (!(error instanceof Error)) return {};
  const { code, operation, address } = error as unknown as Readonly<Record<string, unknown>>;
  const where = addressText(address);
  return {
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof operation === "string" ? { operation } : {}),
    ...(where === undefined ? {} : { address: where }),
  };
}

async function runInput(command: AnyCommand, input: AnyInput, host: Host): Promise<number> {
  const { flags } = input;
  const level: LogLevel = flags["quiet"] ? "quiet" : flags["verbose"] ? "verbose" : "normal";
  const style = createStyle(host.stderr.isTerminal() && wantsColor(host));
  const format = flags["log-format"] === "json" ? "json" : "text";
  const isLive = level !== "quiet" && format === "text";
  const progress = new LiveLine(host.stderr, isLive, () => host.columns());
  const log = new Log(host.stderr, level, style, progress, format);
  const interruption = new Interruption(
    host,
    () => log.info(STOPPING[command.role]),
    () => progress.clear(),
  );
  // Without a terminal a client ends at once, as any program does, unless nohup has it ignore SIGHUP.
  const takesHangups = command.role === "server" || host.hasTerminal;
  using hangups = takesHangups ? new Hangups(host, interruption) : undefined;
  await using manager = command.role === "server" ? await openManager(host, log) : undefined;
  interruption.signal.addEventListener("abort", () => manager?.stopping(), { once: true });
  using _redirection = redirectErrors((error, what) => {
    log.warn(`${lowerFirst(what)}: ${describeError(error)}`);
    if (host.args.includes("--debug")) log.info(stackOf(error));
  });
  using _lines = format === "json" ? await logRuntime(log, host) : undefined;
  const abandoned = Promise.withResolvers<undefined>();
  let graceTimer: ReturnType<typeof setTimeout> | undefined;
  let writeError: unknown;
  const out = new Output(host.stdout, {
    beforeWrite: () => progress.hide(),
    columns: () => host.columns(),
    onClosed(error) {
      if (!hasReaderLeft(error, out)) writeError = error;
      // Who is told to end, before or soon after, does it in order.
      const isInterrupted = () => interruption.cause === "interrupted";
      if (!isInterrupted()) interruption.stop("stdout-closed", error);
      graceTimer = setTimeout(() => {
        if (!isInterrupted()) abandoned.resolve(undefined);
      }, CLOSED_GRACE_MS);
    },
  });
  const shown = (text: string, fields?: LogFields) =>
    format === "json" ? logObject("info", text, fields) : text;
  const said = lossyLines(out, shown);
  const context = {
    out,
    say: (text: string, fields?: LogFields) => said.print(shown(text, fields)),
    outStyle: createStyle(host.stdout.isTerminal() && wantsColor(host)),
    log,
    progress,
    signal: interruption.signal,
    stdin: () => host.stdin(),
    stdinIsTerminal: host.stdinIsTerminal,
    onHangup: (listener: () => void) => hangups?.listen(listener),
    manager,
  };
  try {
    const work = (async () => await command.run(input, context))();
    const code = await Promise.race([work, abandoned.promise]) ?? codeOfStop(command, interruption);
    if (flags["json"] && code !== EXIT.ok && code !== EXIT.interrupted) {
      if (log.lastError === undefined) log.error(command.exitCodes[code] ?? "failed");
      out.json({ type: "error", ...log.lastError, exit_code: code });
    }
    await out.flush();
    if (writeError === undefined) return code;
  } catch (error) {
    await out.flush();
    if (!interruption.explains(error)) throw error;
    if (writeError === undefined) return codeOfStop(command, interruption);
  } finally {
    clearTimeout(graceTimer);
    progress.clear();
    interruption.dispose();
  }
  throw new Error(`cannot write to stdout: ${describeError(writeError)}`, { cause: writeError });
}

/** Whether writing failed for no fault: `head` has seen enough, or the terminal was closed. */
function hasReaderLeft(error: unknown, { isTerminal }: Output): boolean {
  return error instanceof Deno.errors.BrokenPipe ||
    isTerminal && (error as { readonly code?: unknown }).code === "EIO";
}

async function logRuntime(log: Log, host: Host): Promise<Disposable> {
  const { logRuntimeLines } = await importLater<typeof import("./runtime_lines.ts")>(
    new URL("./runtime_lines.ts", import.meta.url),
  );
  return logRuntimeLines(log, host);
}

const STOPPING = {
  server: "draining: open connections may finish (once more ends at once)",
  client: "stopping (once more ends at once)",
} as const;

function codeOfStop(command: AnyCommand, interruption: Interruption): number {
  const interrupted = interruption.cause === "interrupted" && command.role === "client";
  return interrupted ? EXIT.interrupted : EXIT.ok;
}

/** Looks for `--json` without parsing, because errors of parsing are printed too. */
function wantsJson({ args }: Host): boolean {
  const end = args.indexOf("--");
  return args.slice(0, end < 0 ? args.length : end).includes("--json");
}

/** Looks for `--log-format` without parsing, because errors of parsing are printed too. */
function logFormatOf({ args }: Host): LogFormat {
  const at = args.findLastIndex((arg) => /^--log-format(=|$)/.test(arg));
  const value = args[at] === "--log-format" ? args[at + 1] : args[at]?.replace(/^[^=]*=/, "");
  return value === "json" ? "json" : "text";
}

/** Looks for `--no-color` without parsing, because errors of parsing are printed too. */
function wantsColor(host: Host): boolean {
  return !host.noColor && !host.args.includes("--no-color");
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const stack = error.stack ?? String(error);
  return error.cause === undefined || error.cause === error
    ? stack
    : `${stack}\ncaused by: ${stackOf(error.cause)}`;
}
