/**
 * How `app-client` shows answers to people.
 *
 * @module
 */
import type { Context } from "../_cli/mod.ts";
import { highlighted } from "./highlighted.ts";

/** An answer's JSON object. */
type Json = Readonly<Record<string, unknown>>;

/**
 * Prints an answer: hits as a list, where a terminal or `--limit` asks for it, suggestions and figures
 * a line each, and of anything else its `result`.
 */
export async function printAnswer(
  json: Json,
  { out, log, outStyle }: Context,
  { limit }: { readonly limit: number | undefined },
): Promise<void> {
  const { result, corrected, relaxed, also, exact, hits, total, suggestions, stats } = json;
  if (typeof corrected === "string") log.info(`corrected to: ${corrected}`);
  if (Array.isArray(relaxed)) {
    log.info(`nothing has all words; left out: ${relaxed.map(shown).join(", ")}`);
  }
  if (typeof also === "string") log.info(`also found: ${also}`);
  const show: Show = (text, ranges) =>
    highlighted(shown(text), ranges, outStyle.bold, (part) => out.safe(part));
  if (
    Array.isArray(hits) && hits.length > 0 && (limit !== undefined || (out.isTerminal && !exact))
  ) {
    for (const [i, each] of hits.entries()) {
      const hit: Json = new Object(each) as Json;
      const text = out.isTerminal
        ? hitParagraph(hit, i + 1, show, outStyle.dim)
        : hitLine(hit, show);
      await out.line(text);
    }
    if (typeof total === "number" && total > hits.length) {
      // It is about what stands above it.
      await out.flush();
      log.info(`${hits.length} of ${total} matches`);
    }
  } else if (Array.isArray(suggestions)) {
    for (const each of suggestions) {
      const { key, title } = new Object(each) as Json;
      await out.line(out.safe(title === key ? shown(key) : `${shown(key)}\t${shown(title)}`));
    }
  } else if (typeof stats === "object" && stats !== null) {
    for (const [name, value] of Object.entries(stats)) {
      await out.line(out.safe(`${name}: ${shown(value)}`));
    }
  } else {
    await out.line(out.safe(shown(result ?? json)));
  }
}

/** A text as it is; of anything else its JSON, as a server may send objects in the place of texts. */
function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value) ?? "";
}

type Show = (text: unknown, ranges: unknown) => string;

/** A hit for a terminal: its title, its key, and the passage. */
function hitParagraph(
  hit: Json,
  number: number,
  show: Show,
  dim: (text: string) => string,
): string {
  const { key, title, snippet } = hit;
  const places = (hit["highlights"] ?? {}) as Json;
  const mark = `${number}.`.padEnd(4);
  const lines = [`${mark}${show(title ?? key, places["title"])}`];
  if (title !== undefined && title !== key) lines.push(`    ${dim(show(key, []))}`);
  if (snippet !== undefined && snippet !== "") {
    lines.push(`    ${show(snippet, places["snippet"])}`);
  }
  return lines.join("\n");
}

/** A hit for a program: score, key and title, and the passage, with tabs between them. */
function hitLine(hit: Json, show: Show): string {
  const { key, title, snippet, score, highlights } = hit;
  const places = (highlights ?? {}) as Json;
  const points = typeof score === "number" ? score.toFixed(2) : "";
  const name = title === key || title === undefined
    ? show(key, places["title"])
    : `${show(key, [])} (${show(title, places["title"])})`;
  return `${points}\t${name}\t${show(snippet ?? "", places["snippet"])}`;
}
