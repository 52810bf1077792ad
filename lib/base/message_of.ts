/** An error's message without what Deno adds to those of the system, such as `(os error 2): …`. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/ \(os error \d+\).*$/s, "");
}
