import type { AnyCommand } from "../../../cmd/_cli/mod.ts";
import type { ArgumentTable, FlagTable } from "../../../cmd/_cli/spec.ts";

/** @throws {TypeError} if a command's table contradicts itself. */
export function checkCommand({ name, flags, arguments: args }: AnyCommand): void {
  checkFlags(name, flags);
  checkArguments(name, args);
}

function checkFlags(command: string, table: FlagTable): void {
  const shorts = new Set<string>();
  for (const [name, spec] of Object.entries(table)) {
    const refuse = (problem: string) => new TypeError(`${command}: flag --${name} ${problem}`);
    // The parser takes --no-x for the negation of x, and a dot for nesting.
    if (!/^(?!no-)[a-z][a-z0-9-]*$/.test(name)) throw refuse("has a name that cannot be parsed");
    if (spec.short !== undefined) {
      if (!/^[A-Za-z]$/.test(spec.short)) throw refuse("has a short form of not one letter");
      if (shorts.has(spec.short)) throw refuse("has the short form of another");
      shorts.add(spec.short);
    }
    for (const other of spec.requires ?? []) {
      if (!Object.hasOwn(table, other)) throw refuse(`requires --${other}, which does not exist`);
    }
  }
}

function checkArguments(command: string, table: ArgumentTable): void {
  const entries = Object.entries(table);
  entries.forEach(([name, spec], i) => {
    const refuse = (problem: string) => new TypeError(`${command}: argument ${name} ${problem}`);
    if (spec.repeat && i < entries.length - 1) throw refuse("takes all words, but is not last");
    if (spec.type === "address" && entries[0]![1].type !== "address") {
      throw refuse("is an address, but the first is none");
    }
  });
}
