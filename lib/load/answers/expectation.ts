/** The most characters of a wrong answer that are shown. */
const SHOWN_CHARS = 60;

const decoder = new TextDecoder();

/**
 * Looks whether answers are what they should be: they contain a text, or match an expression, which
 * may be given as its text.
 */
export class Expectation {
  readonly #text: string | undefined;
  readonly #pattern: RegExp | undefined;

  /** A text that is a regular expression, too, is fulfilled as either. */
  constructor(expected: string | RegExp) {
    this.#text = typeof expected === "string" ? expected : undefined;
    this.#pattern = typeof expected === "string" ? patternOf(expected) : withoutState(expected);
  }

  /** What came instead, shortened, for people; `undefined` if the answer is right. */
  wrongness(content: Uint8Array): string | undefined {
    const text = decoder.decode(content);
    if (this.#text !== undefined && text.includes(this.#text)) return undefined;
    if (this.#pattern?.test(text)) return undefined;
    return shown(text);
  }
}

function patternOf(text: string): RegExp | undefined {
  try {
    return new RegExp(text);
  } catch {
    return undefined;
  }
}

/** An expression that is sticky or global would remember where it stopped. */
function withoutState({ source, flags }: RegExp): RegExp {
  return new RegExp(source, flags.replace(/[gy]/g, ""));
}

function shown(text: string): string {
  const start = text.slice(0, SHOWN_CHARS);
  return JSON.stringify(start) + (text.length > SHOWN_CHARS ? "…" : "");
}
