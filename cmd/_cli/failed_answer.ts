/** Whether an answer tells of a failure in another way than ours, as the tutorial's server does. */
export function saysFailed(json: Readonly<Record<string, unknown>>): boolean {
  const { result } = json;
  return "error" in json || (typeof result === "string" && /^Error: invalid action/.test(result));
}
