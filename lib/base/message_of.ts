/**
 * An error's message without what Deno adds to those of the system, such as `(os error 2): …`. What
 * a program threw may be no error, and may refuse to be read.
 */
export function messageOf(error: unknown): string {
  try {
    const text = String(error instanceof Error ? error.message : error);
    return text.replace(/ \(os error \d+\).*$/s, "");
  } catch {
    return "an error that cannot be shown";
  }
}
