/**
 * Finds the title of a page among what its `title` element and its headings say.
 *
 * @module
 */

/** What stands between the title of a page and that of its site. */
const BETWEEN = /\s+[-–—|·•»«:]+\s+|\s*[|»]\s*|:\s+|\s+::\s+/gu;

/** A text on one line. */
export function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

/**
 * The title of a page, without that of its site.
 *
 * @param title What its `title` element says.
 * @param heading Its first heading.
 * @param sites What the site may be called.
 */
export function pageTitle(
  title: string | undefined,
  heading: string | undefined,
  sites: readonly string[],
): string | undefined {
  if (title === undefined) return heading;
  // A heading that is the site's name, beside its logo, is not that of the page.
  if (heading !== undefined && sites.some((site) => isSame(site, heading))) {
    return withoutSite(title, sites);
  }
  if (heading !== undefined && partsOf(title).some((part) => isSame(part, heading))) return heading;
  return withoutSite(title, sites);
}

/** The parts of a title that begin and end at its ends or between a page's and a site's title. */
function partsOf(title: string): string[] {
  const cuts = cutsOf(title);
  const starts = [0, ...cuts.map(({ end }) => end)];
  const ends = [...cuts.map(({ start }) => start), title.length];
  return starts.flatMap((start) =>
    ends.filter((end) => end > start).map((end) => title.slice(start, end))
  );
}

function withoutSite(title: string, sites: readonly string[]): string {
  for (const { start, end } of cutsOf(title)) {
    const [before, after] = [title.slice(0, start), title.slice(end)];
    if (before !== "" && sites.some((site) => isSame(after, site))) return before;
    if (after !== "" && sites.some((site) => isSame(before, site))) return after;
  }
  return title;
}

/**
 * What the titles of several pages end with in common: what is behind one of the places where a
 * site's title may begin. The longest that most of them have.
 */
export function commonTail(titles: readonly string[]): string | undefined {
  const counts = new Map<string, number>();
  for (const title of titles) {
    for (const { start, end } of cutsOf(title)) {
      if (start === 0) continue;
      const tail = title.slice(end);
      counts.set(tail, (counts.get(tail) ?? 0) + 1);
    }
  }
  return [...counts].filter(([tail, count]) =>
    tail !== "" && count > 1 && count * 3 > titles.length * 2
  )
    .map(([tail]) => tail).sort((a, b) => b.length - a.length)[0];
}

/** Whether a title has a part that may be the site's, and does not begin with the heading. */
export function mayHaveSite(title: string | undefined, heading: string | undefined): boolean {
  if (title === undefined) return false;
  const cuts = cutsOf(title);
  if (heading !== undefined && cuts.some(({ start }) => isSame(title.slice(0, start), heading))) {
    return false;
  }
  return cuts.length > 0;
}

function cutsOf(title: string): { start: number; end: number }[] {
  // A very long title has no need of more.
  return [...title.slice(0, 1000).matchAll(BETWEEN)].slice(0, 12)
    .map(({ index, 0: text }) => ({ start: index, end: index + text.length }));
}

function isSame(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}
