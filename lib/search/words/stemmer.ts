/**
 * Stems of words, by the Snowball algorithms: `runs` and `running` have the stem `run`.
 *
 * @module
 */
import { importLater } from "../../base/import_later.ts";

/** Brings a folded word to its stem. */
export type Stem = (word: string) => string;

const CODES = "ar bg da de el en es fi fr ga hu hy id it lt ne nl no pt ro ru sr sv tr uk";

/** The codes of the languages that have stems, of ISO 639-1. A language is loaded when it is needed. */
export const LANGUAGES: readonly string[] = CODES.split(" ");

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
  return LANGUAGES.includes(language) ? language : undefined;
}

/** Loads what {@linkcode stemmerOf} gives for one of {@linkcode LANGUAGES}. */
export function loadStemmer(language: string): Promise<void> {
  let promise = loading.get(language);
  if (promise === undefined) {
    promise = load(language).then(({ stemmer }) => {
      loaded.set(language, remembering(stemmer));
    });
    loading.set(language, promise);
  }
  return promise;
}

async function load(language: string) {
  const { STEMMERS } = await importLater<typeof import("./stemmers.ts")>(
    new URL("./stemmers.ts", import.meta.url),
  );
  return await STEMMERS[language]!();
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
