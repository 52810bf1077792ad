/** The most characters of a value that a message shows. */
const MAX_LENGTH = 80;

/** A value that a peer sent, as messages show it: as JSON, cut off after 80 characters. */
export function quote(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH - 3)}...` : text;
}
