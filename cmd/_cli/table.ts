/**
 * Lays out rows in columns that are as wide as they need, with two spaces between them. The first
 * column is left-aligned.
 *
 * @param others How the others are.
 */
export function tableLines(
  rows: readonly (readonly string[])[],
  others: "left" | "right" = "right",
): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, i) => widths[i] = Math.max(widths[i] ?? 0, cell.length));
  }
  const padded = (cell: string, i: number) =>
    i === 0 || others === "left" ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!);
  return rows.map((row) => row.map(padded).join("  ").trimEnd());
}
