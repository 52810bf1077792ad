/**
 * What a value is, in a few words for an error message: `null`, `the number 5`, `an array`, `an
 * object of the class Int16Array`. It never throws.
 */
export function valueKind(value: unknown): string {
  switch (typeof value) {
    case "undefined":
      return "undefined";
    case "number":
    case "boolean":
      return `the ${typeof value} ${value}`;
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "an array" : objectKind(value);
    default:
      return `a ${typeof value}`;
  }
}

/** A value in words, for an error: a number, the beginning of a text, of anything else its kind. */
export function shownValue(value: unknown): string {
  if (typeof value === "bigint") return `the bigint ${value}`;
  return typeof value === "string" ? JSON.stringify(value.slice(0, 60)) : valueKind(value);
}

function objectKind(value: object): string {
  try {
    const { name } = value.constructor;
    if (typeof name === "string" && name !== "" && name !== "Object") {
      return `an object of the class ${name.slice(0, 60)}`;
    }
  } catch {
    // It has no constructor, or is a proxy that does not give it.
  }
  return "an object";
}
