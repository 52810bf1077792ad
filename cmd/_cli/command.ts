import { commonFlags } from "./flag_groups.ts";
import type { Log, LogFields } from "./log.ts";
import type { LiveLine } from "./live_line.ts";
import type { Output } from "./output.ts";
import type { ServiceManager } from "./service_manager.ts";
import type { ArgumentTable, ArgumentValues, FlagTable, FlagValues } from "./spec.ts";
import type { Style } from "./terminal_text.ts";

/** A command line, read by the command's table. */
export interface Input<F extends FlagTable, A extends ArgumentTable> {
  readonly flags: FlagValues<F & typeof commonFlags>;
  readonly args: ArgumentValues<A>;
  /** The flags of the command line, without those set by a default or the environment. */
  readonly given: ReadonlySet<string>;
}

/** What a command's `run` works with. */
export interface Context {
  /**
   * Aborted by the first SIGINT or SIGTERM, and when the reader of stdout has gone. A server then
   * drains, a client ends with what it has.
   */
  readonly signal: AbortSignal;
  /** stdout: the data. */
  readonly out: Output;
  /**
   * Writes what a server says of its connections and figures as a line on stdout: as it is, or with
   * `--log-format json` as an object with the fields of a message.
   */
  say(text: string, fields?: LogFields): void;
  /** Dresses texts for stdout, where that is a terminal whose user wants it. */
  readonly outStyle: Style;
  /** stderr: messages for people. */
  readonly log: Log;
  /** The one live line on stderr. */
  readonly progress: LiveLine;
  /** What comes in on stdin; always the same stream. */
  readonly stdin: () => ReadableStream<Uint8Array>;
  /** Whether stdin is a terminal, so that a conversation makes sense. */
  readonly stdinIsTerminal: boolean;
  /** Has a server's function called when it is to read its files again (SIGHUP). */
  readonly onHangup: (listener: () => void) => void;
  /** Who started a server and wants to be told how it is, as systemd does. */
  readonly manager?: ServiceManager | undefined;
}

/** A command's own description: parsing, help, completions and the man page are made from it. */
export interface CommandDefinition<F extends FlagTable, A extends ArgumentTable> {
  readonly name: string;
  /** What it does, in one line without a full stop. */
  readonly summary: string;
  /**
   * What an interruption means: a `"server"` that drained exits 0, a `"client"` exits 130.
   * @default {"client"}
   */
  readonly role?: "server" | "client";
  readonly arguments?: A;
  readonly flags?: F;
  /** A command line, and what it does. */
  readonly examples: readonly (readonly [line: string, what: string])[];
  /** Paragraphs for the end of the help and the man page. */
  readonly notes?: readonly string[];
  /** Exit codes besides 0, 1 and 2, and what they mean. */
  readonly exitCodes?: Readonly<Record<number, string>>;
  /**
   * Does the work.
   *
   * @returns the exit code; 0 if nothing is returned.
   */
  run(input: Input<F, A>, context: Context): Promise<number | void> | number | void;
}

/** A command, with the common flags added to its own. */
export interface Command<
  F extends FlagTable = FlagTable,
  A extends ArgumentTable = ArgumentTable,
> extends Required<Omit<CommandDefinition<F, A>, "flags">> {
  readonly flags: F & typeof commonFlags;
}

/** A command of any table. */
// deno-lint-ignore no-explicit-any
export type AnyCommand = Command<any, any>;

/**
 * Makes a command of its description. That a table does not contradict itself is for tests to see.
 *
 * @example
 * ```ts ignore
 * export const command = defineCommand({
 *   name: "echo-server",
 *   summary: "send every client its own bytes back",
 *   role: "server",
 *   arguments: { address: { type: "address", default: "127.0.0.1:5634", help: "where to listen" } },
 *   flags: { "idle-timeout": { type: "duration", default: "10m", help: "close idle connections" } },
 *   examples: [["socktool echo-server :7777", "listen on port 7777"]],
 *   run({ flags, args }, { log, signal }) {
 *     log.info(`listening on ${formatAddress(args.address)}`);
 *   },
 * });
 *
 * if (import.meta.main) await runMain(command);
 * ```
 */
export function defineCommand<
  const F extends FlagTable = Record<never, never>,
  const A extends ArgumentTable = Record<never, never>,
>(definition: CommandDefinition<F, A>): Command<F, A> {
  return {
    role: "client" as const,
    notes: [],
    exitCodes: {},
    arguments: {} as A,
    ...definition,
    flags: { ...definition.flags, ...commonFlags } as F & typeof commonFlags,
    run: definition.run,
  };
}
