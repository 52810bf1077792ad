import { byId, make } from "../common/dom.ts";
import type { WithEntry } from "./api.ts";

/** Long texts are laid out part by part, when they come into view. */
const PART_LENGTH = 8_192;

/** Shows a whole entry. */
export function showEntry({ entry }: WithEntry, back: string | undefined): void {
  const { key, title, text } = entry;
  byId("entry").replaceChildren(
    make(
      "header",
      {},
      make("a", { href: back ?? "/", id: "back" }, back === undefined ? "Search" : "← Results"),
      make("h2", { tabindex: -1, dir: "auto" }, title),
      key === title ? undefined : make("p", { class: "mono" }, key),
    ),
    make(
      "div",
      { class: "text" },
      ...partsOf(text).map((part) => make("div", { dir: "auto" }, part)),
    ),
  );
  byId("entry").hidden = false;
}

/** Shows no entry. */
export function hideEntry(): void {
  byId("entry").hidden = true;
  byId("entry").replaceChildren();
}

/** A text cut at ends of lines. A line that is longer than a part is one. */
function partsOf(text: string): string[] {
  const parts: string[] = [];
  for (let at = 0; at < text.length;) {
    const cut = text.length - at <= PART_LENGTH ? -1 : text.indexOf("\n", at + PART_LENGTH);
    const end = cut < 0 ? text.length : cut;
    parts.push(text.slice(at, end));
    // The end of the line is the end of the part.
    at = end + 1;
  }
  return parts;
}
