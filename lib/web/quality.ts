/**
 * How much a client wants something, by a header such as `Accept` or `Accept-Encoding` (RFC 9110,
 * 12.4.2): from 0, which it refuses, to 1.
 *
 * @param names How it may be called in the header, in lower case, the most specific name first: the
 * first that the header has counts. Of several entries of one name, the highest counts.
 * @param version Entries of another version, by their parameter `version`, do not count.
 * @returns `undefined` if the header has none of them.
 */
export function qualityOf(
  header: string | undefined,
  names: readonly string[],
  version?: string,
): number | undefined {
  const entries = (header ?? "").toLowerCase().split(",").map((entry) => {
    const [name, ...params] = entry.split(";").map((part) => part.trim());
    const valueOf = (key: string) =>
      params.find((param) => param.split("=")[0]!.trimEnd() === key)?.replace(
        /^[^=]*=?[\s"]*|"$/g,
        "",
      );
    return { name, version: valueOf("version"), quality: readQuality(valueOf("q")) };
  });
  for (const wanted of names) {
    const found = entries.filter((entry) =>
      entry.name === wanted && (entry.version ?? version) === version
    );
    if (found.length > 0) return Math.max(...found.map(({ quality }) => quality));
  }
  return undefined;
}

/** A weight that cannot be read is taken for none, which is 1. */
function readQuality(text: string | undefined): number {
  return text !== undefined && /^(0(\.\d{0,3})?|1(\.0{0,3})?)$/.test(text) ? Number(text) : 1;
}
