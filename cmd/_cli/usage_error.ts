/**
 * The command was called wrongly: the program prints the message and where help is, and exits with
 * code 2. A command's `run` may throw it too, for what its table of flags cannot say.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "usage";
}
