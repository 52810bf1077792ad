/**
 * In which language a document says it is.
 *
 * @module
 */
import { languageOf, loadStemmer } from "../words/stemmer.ts";

/** The `lang` of the element `html`, which stands at the beginning. */
const LANG = /<html\b[^>]*?\s(?:xml:)?lang\s*=\s*["']?([A-Za-z][A-Za-z0-9-]*)/i;
const BEGINNING_LENGTH = 4096;

/**
 * The language of a tag such as `en-GB`, if it is a tag and the language has stems; its stemmer is
 * then loaded.
 */
export async function loadedLanguage(tag: unknown): Promise<string | undefined> {
  const language = typeof tag === "string" ? languageOf(tag.trim()) : undefined;
  if (language !== undefined) await loadStemmer(language);
  return language;
}

/** {@linkcode loadedLanguage} of the language that an HTML document says it is in. */
export function languageOfHtml(html: string): Promise<string | undefined> {
  return loadedLanguage(LANG.exec(html.slice(0, BEGINNING_LENGTH))?.[1]);
}
