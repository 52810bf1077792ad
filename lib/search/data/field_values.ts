/**
 * The values of a record's fields, as texts.
 *
 * @module
 */

/** A record: its fields by their names. */
export type Fields = Readonly<Record<string, unknown>>;

/** Values that are nested deeper are written as JSON. */
const MAX_DEPTH = 16;

/** A field's value as text; `undefined` if it is missing or `null`. */
export function textOf(value: unknown): string | undefined {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
    case "boolean":
    case "bigint":
      return String(value);
    case "object":
      if (value === null) return undefined;
      if (isList(value)) return value.map((item) => item ?? "").join("\n");
      return labelled("", value, true).join("\n");
    default:
      return undefined;
  }
}

/** Whether a value, or one in it, is a text rather than only numbers and the like. */
export function hasText(value: unknown, depth = 0): boolean {
  if (typeof value === "string") return value !== "";
  if (typeof value !== "object" || value === null) return false;
  return depth >= MAX_DEPTH || Object.values(value).some((item) => hasText(item, depth + 1));
}

/**
 * A field as lines `name: value`. One that has fields itself is a line for each of them, by the names
 * on the way to it, such as `author.name: Ann`.
 */
export function linesOf(name: string, value: unknown): string[] {
  return labelled(name, value, false);
}

function labelled(name: string, value: unknown, isBare: boolean, depth = 0): string[] {
  if (value === null || value === undefined || value === "") return [];
  if (typeof value !== "object") return [`${name}: ${value}`];
  if (isList(value)) {
    const text = value.filter((item) => item !== null && item !== "").join(", ");
    return text === "" ? [] : [isBare && name === "" ? text : `${name}: ${text}`];
  }
  if (depth === MAX_DEPTH) return [`${name}: ${JSON.stringify(value)}`];
  return Object.entries(value).flatMap(([own, item]) => {
    // The numbers of a list's places tell a reader nothing.
    const path = Array.isArray(value) ? name : name === "" ? own : `${name}.${own}`;
    return labelled(path, item, isBare, depth + 1);
  });
}

/** Whether a value is a list of texts, numbers and the like. */
function isList(value: object): value is unknown[] {
  return Array.isArray(value) &&
    value.every((item) => typeof item !== "object" || item === null);
}
