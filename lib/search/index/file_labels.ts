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
 * @param paths Absolute paths that end with `name`, with `/`; all different.
 * @param name The name that they have in common.
 */
export function fileLabels(paths: readonly string[], name: string): string[] {
  return paths.map((path) => {
    const first = path.length - name.length;
    for (let start = first; start > 1; start = path.lastIndexOf("/", start - 2) + 1) {
      const end = path.slice(start);
      if (paths.every((other) => other === path || !endsWithName(other, end))) return end;
    }
    return path;
  });
}

function endsWithName(path: string, end: string): boolean {
  return path.endsWith(end) && (path.length === end.length || path.at(-end.length - 1) === "/");
}
