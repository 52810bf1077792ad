/**
 * Makes plain text of HTML.
 *
 * @module
 */

/** Elements whose content is not text for readers. */
const SILENT = new Set(["script", "style", "template", "noscript", "svg", "iframe"]);
/** Elements inside a line of text. All others begin a new line. */
const INLINE = new Set(
  "a abbr b bdi bdo big cite code data dfn em font i ins kbd label mark q s samp small span strong sub sup time tt u var wbr"
    .split(" "),
);
/** Elements that begin a new line but are not followed by an empty one. */
const ITEMS = new Set(["br", "li", "tr", "dt", "dd", "div", "option"]);
const CELLS = new Set(["td", "th"]);
const HEADING = /^h[1-6]$/;

/**
 * The text of an HTML document, and its title: the first heading, else the `title` element.
 *
 * The parser is loaded with the first HTML file, so that programs without any do not load it.
 */
export async function htmlText(html: string): Promise<{ title: string | undefined; text: string }> {
  const { Parser } = await import("htmlparser2");
  const parts: string[] = [];
  let heading: string | undefined;
  let headingName: string | undefined;
  let headingParts: string[] = [];
  let title = "";
  let inTitle = false;
  let silent = 0;
  let preformatted = 0;
  const parser = new Parser({
    onopentag(name) {
      if (name === "title" && silent === 0 && title === "") inTitle = true;
      if (SILENT.has(name)) silent++;
      if (name === "pre") preformatted++;
      if (CELLS.has(name)) parts.push(" ");
      else if (!INLINE.has(name)) parts.push("\n");
      if (HEADING.test(name) && heading === undefined) headingName = name;
    },
    ontext(text) {
      if (inTitle) title += text;
      if (silent > 0 || inTitle) return;
      let piece = preformatted > 0 ? text : text.replace(/\s+/g, " ");
      if (preformatted === 0 && /\s$/.test(parts.at(-1) ?? "\n")) piece = piece.trimStart();
      if (piece === "") return;
      parts.push(piece);
      if (headingName !== undefined) headingParts.push(piece);
    },
    onclosetag(name) {
      if (name === "title") inTitle = false;
      if (SILENT.has(name)) silent = Math.max(0, silent - 1);
      if (name === "pre") preformatted = Math.max(0, preformatted - 1);
      if (!INLINE.has(name) && !ITEMS.has(name) && !CELLS.has(name)) parts.push("\n");
      if (name === headingName) {
        heading = oneLine(headingParts.join("")) || undefined;
        headingName = undefined;
        headingParts = [];
      }
    },
  });
  parser.write(html);
  parser.end();
  const text = parts.join("").replace(/[ \t]+\n/g, "\n").replace(/\n{3,}/g, "\n\n").trim();
  return { title: heading ?? (oneLine(title) || undefined), text };
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}
