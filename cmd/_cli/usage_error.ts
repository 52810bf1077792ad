/**
 * The command line is wrong: the program prints the message, says where help is, and exits with
 * code 2. A command's `run` may throw it too, for mistakes that its table cannot express.
 */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "usage";
}
