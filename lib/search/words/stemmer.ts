/**
 * Stems of words, by the Snowball algorithms: `runs` and `running` have the stem `run`.
 *
 * @module
 */

/** Brings a folded word to its stem. */
export type Stem = (word: string) => string;

type Module = { readonly stemmer: Stem };

/** By the codes of ISO 639-1. A language is loaded when the first document of it comes. */
const LOADERS: Readonly<Record<string, () => Promise<Module>>> = {
  ar: () => import("@orama/stemmers/arabic"),
  bg: () => import("@orama/stemmers/bulgarian"),
  da: () => import("@orama/stemmers/danish"),
  de: () => import("@orama/stemmers/german"),
  el: () => import("@orama/stemmers/greek"),
  en: () => import("@orama/stemmers/english"),
  es: () => import("@orama/stemmers/spanish"),
  fi: () => import("@orama/stemmers/finnish"),
  fr: () => import("@orama/stemmers/french"),
  ga: () => import("@orama/stemmers/irish"),
  hu: () => import("@orama/stemmers/hungarian"),
  hy: () => import("@orama/stemmers/armenian"),
  id: () => import("@orama/stemmers/indonesian"),
  it: () => import("@orama/stemmers/italian"),
  lt: () => import("@orama/stemmers/lithuanian"),
  ne: () => import("@orama/stemmers/nepali"),
  nl: () => import("@orama/stemmers/dutch"),
  no: () => import("@orama/stemmers/norwegian"),
  pt: () => import("@orama/stemmers/portuguese"),
  ro: () => import("@orama/stemmers/romanian"),
  ru: () => import("@orama/stemmers/russian"),
  sr: () => import("@orama/stemmers/serbian"),
  sv: () => import("@orama/stemmers/swedish"),
  tr: () => import("@orama/stemmers/turkish"),
  uk: () => import("@orama/stemmers/ukrainian"),
};

/** The codes of the languages that have stems. */
export const LANGUAGES: readonly string[] = Object.keys(LOADERS);

/** The most stems of a language that are remembered: making one takes up to 10 µs. */
const REMEMBERED = 50_000;
/** Longer words are no words of a language. */
const LONGEST = 40;
const LETTERS = /^[\p{L}\p{M}]+$/u;

const loading = new Map<string, Promise<void>>();
const loaded = new Map<string, Stem>();

/** The language of a tag such as `en-GB`, if it has stems. */
export function languageOf(tag: string): string | undefined {
  const code = tag.toLowerCase().split(/[-_]/, 1)[0]!;
  const language = code === "nb" || code === "nn" ? "no" : code;
  return Object.hasOwn(LOADERS, language) ? language : undefined;
}

/** Loads what {@linkcode stemmerOf} gives for one of {@linkcode LANGUAGES}. */
export function loadStemmer(language: string): Promise<void> {
  let promise = loading.get(language);
  if (promise === undefined) {
    promise = LOADERS[language]!().then(({ stemmer }) => {
      loaded.set(language, remembering(stemmer));
    });
    loading.set(language, promise);
  }
  return promise;
}

/** Makes the stems of a language; `undefined` until it is loaded. */
export function stemmerOf(language: string): Stem | undefined {
  return loaded.get(language);
}

function remembering(stem: Stem): Stem {
  const stems = new Map<string, string>();
  return (word) => {
    if (word.length > LONGEST || !LETTERS.test(word)) return word;
    let known = stems.get(word);
    if (known === undefined) {
      if (stems.size >= REMEMBERED) stems.clear();
      stems.set(word, known = stem(word));
    }
    return known;
  };
}

/** What a stem begins with in the index, so that it equals no word. */
const MARK = "\ufdd3";

/** A stem as it stands in the index. */
export function indexedStem(stem: string): string {
  return MARK + stem;
}
