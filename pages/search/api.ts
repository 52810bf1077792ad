/** The answers of `/api/…`: what the wire has, as far as the page shows it. */

/** A part of a text in UTF-16 code units. */
export type Range = readonly [start: number, end: number];

/** An entry that was found. */
export interface Hit {
  readonly key: string;
  readonly title: string;
  readonly snippet: string;
  readonly highlights: { readonly title: readonly Range[]; readonly snippet: readonly Range[] };
}

/** The answer to a search. */
export interface Found {
  readonly hits: readonly Hit[];
  readonly total: number;
  readonly totalExact: boolean;
  readonly corrected?: string;
  readonly relaxed?: readonly string[];
  readonly also?: string;
}

/** The answer to what was typed so far. */
export interface Suggested {
  readonly suggestions: readonly { readonly key: string; readonly title: string }[];
}

/** The answer with one entry. */
export interface WithEntry {
  readonly entry: { readonly key: string; readonly title: string; readonly text: string };
}
