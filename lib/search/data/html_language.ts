import { languageOf, loadStemmer } from "../words/stemmer.ts";

/** The `lang` of the element `html`, which stands at the beginning. */
const LANG = /<html\b[^>]*?\s(?:xml:)?lang\s*=\s*["']?([A-Za-z][A-Za-z0-9-]*)/i;
const BEGINNING_LENGTH = 4096;

/** The language that an HTML document says it is in, if it has stems; its stemmer is then loaded. */
export async function languageOfHtml(html: string): Promise<string | undefined> {
  const tag = LANG.exec(html.slice(0, BEGINNING_LENGTH))?.[1];
  const language = tag && languageOf(tag);
  if (!language) return undefined;
  await loadStemmer(language);
  return language;
}
