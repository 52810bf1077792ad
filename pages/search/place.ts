/** What the page shows, as its URL says it. */

/** A list of hits. */
export interface Search {
  readonly q: string;
  readonly offset: number;
  /** Whether only the words as they are written count. */
  readonly exact: boolean;
}

/** One entry, or a list of hits. */
export type Place = { readonly key: string } | Search;

/** Hits of one page, and how far pages go. */
export const PAGE_SIZE = 10;
export const MAX_OFFSET = 10_000;

/** Reads a place from a URL. */
export function placeOf({ pathname, searchParams }: URL): Place {
  if (/^\/entry\/?$/.test(pathname)) return { key: searchParams.get("key") ?? "" };
  if (pathname.startsWith("/entry/")) {
    try {
      return { key: decodeURIComponent(pathname.slice("/entry/".length)) };
    } catch {
      return { key: pathname.slice("/entry/".length) };
    }
  }
  const offset = Number(searchParams.get("offset"));
  return {
    q: searchParams.get("q") ?? "",
    offset: Number.isInteger(offset) && offset > 0 ? Math.min(offset, MAX_OFFSET) : 0,
    exact: searchParams.get("exact") === "true",
  };
}

/** The URL of a place. */
export function urlOf(place: Place): string {
  if ("key" in place) return entryPath("/entry", place.key);
  const { q, offset, exact } = place;
  const params = new URLSearchParams({
    ...q !== "" && { q },
    ...offset > 0 && { offset: String(offset) },
    ...exact && { exact: "true" },
  });
  return params.size === 0 ? "/" : `/?${params}`;
}

/** Where an entry is. URLs take `.` and `..` out of a path, so these keys are said otherwise. */
export function entryPath(folder: "/entry" | "/api/entry", key: string): string {
  const isPathless = key === "" || key === "." || key === "..";
  return isPathless
    ? `${folder}?${new URLSearchParams({ key })}`
    : `${folder}/${encodeURIComponent(key)}`;
}
