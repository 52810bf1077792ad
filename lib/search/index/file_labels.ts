/**
 * Gives files names that tell them from others of the same name.
 *
 * @module
 */

/**
 * The label of each of some files whose name within their data path is the same: this name, with as
 * many of the folders before it as no other file of them has. `a/x.csv` and `b/x.csv` of the data
 * paths `a` and `b` are labelled so; a file alone is labelled by its name.
 *
 * @param paths Absolute paths that end with `name`, with `/`; all different, but perhaps the same in
 * NFC.
 * @param name The name that they have in common, in NFC.
 */
export function fileLabels(paths: readonly string[], name: string): string[] {
  const composed = paths.map((path) => path.normalize("NFC"));
  return composed.map((path, i) => {
    const first = path.length - name.length;
    for (let start = first; start > 1; start = path.lastIndexOf("/", start - 2) + 1) {
      const end = path.slice(start);
      if (composed.every((other, j) => j === i || !endsWithName(other, end))) return end;
    }
    return paths[i]!;
  });
}

function endsWithName(path: string, end: string): boolean {
  return path.endsWith(end) && (path.length === end.length || path.at(-end.length - 1) === "/");
}
