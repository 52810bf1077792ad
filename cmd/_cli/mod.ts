/**
 * What the commands share: a table per command from which parsing and help are made, values with
 * units, output, messages, progress, signals and exit codes.
 *
 * @module
 */
export {
  type AnyCommand,
  type Command,
  type CommandDefinition,
  type Context,
  defineCommand,
  type Input,
} from "./command.ts";
export { describeError, lowerFirst } from "./describe_error.ts";
export { EXIT, UsageError } from "./exit_code.ts";
export {
  connectTimeoutFlag,
  httpFlags,
  jsonFlag,
  logFormatFlag,
  outputFlags,
  quietFlag,
  verboseFlag,
} from "./flag_groups.ts";
export { END_OF_INPUT, type Host, processHost } from "./host.ts";
export type { LiveLine } from "./live_line.ts";
export type { Log } from "./log.ts";
export type { CommandEntry, Program } from "./multi.ts";
export { accessFlags, authenticatorOf, checkAccess, credentialFlags, helloOf } from "./access.ts";
export {
  announce,
  limitFlags,
  limitsOf,
  logAcceptFailures,
  maxMemoryOf,
  untilDrained,
  warnOfOpenFiles,
} from "./serving.ts";
export { jsonEvents, type LossyOutput } from "./lossy_output.ts";
export { jsonSeconds, type Output } from "./output.ts";
export { rereadOnHangup, watchAuth } from "./reread.ts";
export { runCommand, runMain } from "./run.ts";
export type { ArgumentSpec, ArgumentTable, FlagSpec, FlagTable } from "./spec.ts";
export { clientTlsFlags, clientTlsOf, serverTlsFlags, serverTlsOf } from "./tls_flags.ts";
export { escapeForTerminal } from "./terminal_text.ts";
export {
  formatBytes,
  formatCount,
  formatDuration,
  formatExactCount,
  formatRate,
  parseBytes,
  parseCount,
  parseDuration,
  parseRate,
} from "../../lib/base/units.ts";
export { suggestion } from "../../lib/base/nearest.ts";
