/** What a module that measures a library gives. */
export interface LibraryRows extends AsyncDisposable {
  readonly rows: Readonly<Record<string, () => number | Promise<number>>>;
}

/** A row that does `count` things each time, and three times as many before the first. */
export function warmed(
  measure: (count: number) => Promise<number>,
  count: number,
): () => Promise<number> {
  let warm = false;
  return async () => {
    if (!warm) await measure(3 * count);
    warm = true;
    return await measure(count);
  };
}
