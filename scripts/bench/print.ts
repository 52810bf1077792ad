import type { Figures } from "./support.ts";

/** Prints figures, one a line. */
export function printFigures(title: string, figures: Figures): void {
  const width = Math.max(...Object.keys(figures).map((name) => name.length));
  const lines = Object.entries(figures).map(([name, value]) =>
    `  ${name.padEnd(width)}  ${show(value)}`
  );
  Deno.stdout.writeSync(new TextEncoder().encode(`${title}\n${lines.join("\n")}\n`));
}

function show(value: number): string {
  if (Math.abs(value) >= 1_000) return Math.round(value).toLocaleString("en-US");
  return String(Number(value.toPrecision(3)));
}
