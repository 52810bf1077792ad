/**
 * Measures rows of a library as they are asked for: `measure.ts NAME [ARG…]`. Prints the rows that
 * there are, then for each name on stdin its figure or what went wrong: all as lines of JSON. It runs
 * as a process of its own, on the library of the checkout in which it lies.
 *
 * @module
 */
import type { LibraryRows } from "./library_rows.ts";
import { readLines } from "./read_lines.ts";

/** What is printed for each name. */
export type MeasuredLine = { readonly value: number } | { readonly error: string };

if (import.meta.main) {
  const [name, ...args] = Deno.args;
  const module: { open(args: readonly string[]): Promise<LibraryRows> } = await import(
    `./${name}.ts`
  );
  await using library = await module.open(args);
  print({ rows: Object.keys(library.rows) });
  const { gc } = globalThis as { gc?: () => void };
  for await (const row of readLines(Deno.stdin.readable)) {
    try {
      // What earlier rows left behind is not this one's to clear away.
      gc?.();
      print({ value: await library.rows[row]!() });
    } catch (error) {
      print({ error: error instanceof Error ? error.message : String(error) });
    }
  }
}

function print(line: { readonly rows: readonly string[] } | MeasuredLine): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}
