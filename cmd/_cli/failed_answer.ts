/** Whether an answer tells of a failure as the tutorial's server does, not by a code. */
export function saysFailed(json: Readonly<Record<string, unknown>>): boolean {
  const { result } = json;
  return "error" in json || (typeof result === "string" && /^Error: invalid action/.test(result));
}
