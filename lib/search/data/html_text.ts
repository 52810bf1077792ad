/**
 * Makes plain text of HTML: of its content, and not of what is around it on every page of a site.
 *
 * @module
 */
import { SkipFile } from "./item.ts";
import { oneLine } from "./titles.ts";

/** Elements whose content is not text for readers. */
const SILENT = new Set(["script", "style", "template", "noscript", "svg", "iframe"]);
/** Elements, and roles of elements, that lead through a site or tell of it. */
const AROUND = new Set(["nav", "aside", "footer"]);
const AROUND_ROLES = new Set([
  "navigation",
  "banner",
  "contentinfo",
  "complementary",
  "search",
  "menu",
  "menubar",
]);
/** Classes and ids by which pages without such elements and roles name the same parts. */
const AROUND_NAME =
  /(?:^|\s)(?:nav|nav-?(?:bar|header|footer|links)|navigation|breadcrumbs?|(?:sphinx|side)-?sidebar|sidebar|(?:site|page)-(?:header|footer)|footer|skip-link)(?=\s|$)/i;
const NEVER_AROUND = new Set(["html", "body", "main", "article"]);
/** Elements inside a line of text. All others begin a new line. */
const INLINE = new Set(
  "a abbr b bdi bdo big cite code data dfn em font i ins kbd label mark q s samp small span strong sub sup time tt u var wbr"
    .split(" "),
);
/** Elements that begin a new line but are not followed by an empty one. */
const ITEMS = new Set(["br", "li", "tr", "dt", "dd", "div", "option"]);
const CELLS = new Set(["td", "th"]);
const HEADING = /^h[1-6]$/;
/** Links beside headings that lead to themselves. */
const SELF_LINK = /^\s*[¶#§]\s*$/;
/**
 * Space before a line end. What stands behind: without that, each space of a run would be tried by
 * itself.
 */
const LINE_TAIL = /(?<![ \t])[ \t]+\n/g;
const HIDDEN_STYLE = /(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*hidden)/i;

/** Elements in each other, at most. For each one the parser moves all that are open around it. */
const MAX_DEPTH = 10_000;

/** What was found in an HTML document. */
export interface HtmlContent {
  /** What the `title` element says. */
  readonly title: string | undefined;
  /** The first `h1` in the content, else its first heading. */
  readonly heading: string | undefined;
  /** What the site is called: by the page's metadata, or a heading around the content. */
  readonly sites: readonly string[];
  readonly text: string;
}

/**
 * The text of an HTML document: what is in its `main` element, if it has one, else its body; without
 * navigation, headers and footers of the page, and what is hidden. A document in which nothing is
 * left is taken whole.
 *
 * The parser is loaded with the first HTML file, so that programs without any do not load it.
 *
 * @throws {SkipFile} (as a rejection) if elements are nested too deep.
 */
export async function htmlContent(html: string): Promise<HtmlContent> {
  const { Parser } = await import("htmlparser2");
  const parse = (isWhole: boolean): ContentCollector => {
    const collector = new ContentCollector(isWhole);
    const parser = new Parser(collector);
    parser.write(html);
    parser.end();
    return collector;
  };
  const found = parse(false);
  return found.text === "" ? { ...parse(true).content, title: found.content.title } : found.content;
}

interface Level {
  readonly name: string;
  /** Whether nothing in it is content. */
  readonly isOut: boolean;
  readonly isMain: boolean;
}

/** Takes the parser's events. */
class ContentCollector {
  readonly #isWhole: boolean;
  readonly #body = new TextParts();
  readonly #main = new TextParts();
  readonly #levels: Level[] = [];
  // How many open elements are of a kind: to look through all of them for each text would take as long
  // as the square of their number.
  #out = 0;
  #silent = 0;
  #pictures = 0;
  #inMain = 0;
  #inArticle = 0;
  #preformatted = 0;
  #title = "";
  #hasTitle = false;
  readonly #sites: string[] = [];
  #heading: { readonly name: string; readonly isOut: boolean; text: string } | undefined;

  /** @param isWhole Whether to take what is around the content too. */
  constructor(isWhole: boolean) {
    this.#isWhole = isWhole;
  }

  get text(): string {
    return this.#main.text || this.#body.text;
  }

  get content(): HtmlContent {
    const { heading } = this.#main.text === "" ? this.#body : this.#main;
    return {
      title: oneLine(this.#title) || undefined,
      heading,
      sites: this.#sites,
      text: this.text,
    };
  }

  onopentag = (name: string, attributes: Readonly<Record<string, string>>): void => {
    if (this.#levels.length === MAX_DEPTH) {
      throw new SkipFile(`HTML of more than ${MAX_DEPTH} elements in each other`);
    }
    const isOut = this.#isOut(name, attributes);
    const isMain = name === "main" || attributes["role"] === "main";
    this.#levels.push({ name, isOut, isMain });
    if (isOut) this.#out++;
    if (SILENT.has(name)) this.#silent++;
    if (name === "svg") this.#pictures++;
    if (isMain) this.#inMain++;
    if (name === "article") this.#inArticle++;
    if (name === "pre") this.#preformatted++;
    if (name === "meta") this.#readMeta(attributes);
    if (HEADING.test(name) && this.#heading === undefined) {
      this.#heading = { name, isOut: this.#out > 0, text: "" };
    }
    if (this.#out === 0) this.#push(CELLS.has(name) ? " " : INLINE.has(name) ? "" : "\n");
  };

  ontext = (text: string): void => {
    const level = this.#levels.at(-1);
    // A picture has a title of its own.
    if (level?.name === "title") {
      if (!this.#hasTitle && this.#pictures === 0) this.#title += text;
      return;
    }
    if (level?.name === "a" && SELF_LINK.test(text)) return;
    if (this.#heading !== undefined && this.#silent === 0) this.#heading.text += text;
    if (this.#out > 0) return;
    for (const parts of this.#inMain > 0 ? [this.#body, this.#main] : [this.#body]) {
      parts.add(text, this.#preformatted > 0);
    }
  };

  onclosetag = (name: string): void => {
    const level = this.#levels.pop();
    if (name === "title" && this.#title.trim() !== "") this.#hasTitle = true;
    if (this.#heading?.name === name) this.#endHeading(this.#heading);
    if (this.#out === 0 && !INLINE.has(name) && !ITEMS.has(name) && !CELLS.has(name)) {
      this.#push("\n");
    }
    if (name === "pre") this.#preformatted--;
    if (name === "article") this.#inArticle--;
    if (SILENT.has(name)) this.#silent--;
    if (name === "svg") this.#pictures--;
    if (level?.isMain) this.#inMain--;
    if (level?.isOut) this.#out--;
  };

  #isOut(name: string, attributes: Readonly<Record<string, string>>): boolean {
    if (SILENT.has(name)) return true;
    if (this.#isWhole) return false;
    if (AROUND.has(name) || AROUND_ROLES.has(attributes["role"] ?? "")) return true;
    // The header of an article has its title.
    if (name === "header" && this.#inMain === 0 && this.#inArticle === 0) return true;
    const { class: classes = "", id = "" } = attributes;
    if (!NEVER_AROUND.has(name) && (AROUND_NAME.test(classes) || AROUND_NAME.test(id))) return true;
    return "hidden" in attributes || attributes["aria-hidden"] === "true" ||
      HIDDEN_STYLE.test(attributes["style"] ?? "");
  }

  #push(part: string): void {
    if (part === "") return;
    this.#body.push(part);
    if (this.#inMain > 0) this.#main.push(part);
  }

  #readMeta({ name, property, content = "" }: Readonly<Record<string, string>>): void {
    const isSite = property === "og:site_name" || name === "application-name";
    if (isSite && content.trim() !== "") this.#sites.push(oneLine(content));
  }

  #endHeading({ name, isOut, text }: { name: string; isOut: boolean; text: string }): void {
    this.#heading = undefined;
    const line = oneLine(text);
    if (line === "") return;
    if (isOut) this.#sites.push(line);
    else {
      this.#body.headingIs(name, line);
      if (this.#inMain > 0) this.#main.headingIs(name, line);
    }
  }
}

/** The text of one part of a document, and its first heading. */
class TextParts {
  readonly #parts: string[] = [];
  #first: string | undefined;
  #firstH1: string | undefined;
  #text: string | undefined;

  get heading(): string | undefined {
    return this.#firstH1 ?? this.#first;
  }

  get text(): string {
    return this.#text ??= this.#parts.join("").replace(LINE_TAIL, "\n").replace(/\n{3,}/g, "\n\n")
      .trim();
  }

  push(part: string): void {
    this.#parts.push(part);
  }

  add(text: string, isPreformatted: boolean): void {
    let piece = isPreformatted ? text : text.replace(/\s+/g, " ");
    if (!isPreformatted && /\s$/.test(this.#parts.at(-1) ?? "\n")) piece = piece.trimStart();
    if (piece !== "") this.#parts.push(piece);
  }

  headingIs(name: string, line: string): void {
    this.#first ??= line;
    if (name === "h1") this.#firstH1 ??= line;
  }
}
