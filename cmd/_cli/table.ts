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

/**
 * Lays out a table that has a head. Where it is too wide, its rows stand one below the other instead,
 * with a line for each cell.
 *
 * @param columns How wide it may be.
 */
export function fittingLines(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): string[] {
  const table = tableLines([head, ...rows], "left");
  if (table.every((line) => line.length <= columns)) return table;
  return rows.flatMap((row, i) => [
    ...(i === 0 ? [] : [""]),
    ...tableLines(row.map((cell, column) => [head[column]!, cell]), "left"),
  ]);
}
