/** The program's exit codes. Only an interrupted client exits with 130. */
export const EXIT = { ok: 0, failed: 1, usage: 2, threshold: 3, interrupted: 130 } as const;

/**
 * The command line is wrong: the program prints the message, says where help is, and exits with
 * code 2. A command's `run` may throw it too, for mistakes that its table cannot express.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "usage";
}
