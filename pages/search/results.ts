import { byId, type Child, make } from "../common/dom.ts";
import type { Found, Hit, Range } from "./api.ts";
import { MAX_OFFSET, PAGE_SIZE, type Search, urlOf } from "./place.ts";

const number = new Intl.NumberFormat("en");

/** Shows the answer to a search. */
export function showFound(search: Search, found: Found): void {
  const { hits, total, totalExact } = found;
  const last = search.offset + hits.length;
  const all = `${totalExact ? "" : "more than "}${number.format(total)}`;
  const said = total === 0
    ? `No match for “${search.q}”.`
    : hits.length === 0
    ? "There are no results so far back."
    : total <= PAGE_SIZE
    ? `${total} ${total === 1 ? "result" : "results"}`
    : `${number.format(search.offset + 1)}–${number.format(last)} of ${all} results`;
  say(said);
  showCorrection(search, found);
  byId("hits").replaceChildren(...hits.map(hitItem));
  byId("hits").setAttribute("start", String(search.offset + 1));
  showPaging(search, last, total);
}

/** Says something about what is shown, also to who does not see it. */
export function say(text: string, isProblem = false): void {
  const status = byId("status");
  status.classList.toggle("problem", isProblem);
  if (status.textContent !== text) status.textContent = text;
}

/** Shows no results. */
export function clearResults(): void {
  byId("hits").replaceChildren();
  byId("corrected").hidden = true;
  byId("paging").hidden = true;
}

/** Says which other query was answered, with a way back to the one that was asked. */
function showCorrection(search: Search, { corrected, relaxed, also }: Found): void {
  const line = byId("corrected");
  const exactly = (text: string) => link({ ...search, offset: 0, exact: true }, text);
  if (corrected !== undefined) {
    line.replaceChildren(
      "Results for ",
      make("strong", {}, link({ ...search, q: corrected, offset: 0 }, corrected)),
      ". Search only for ",
      exactly(search.q),
      ".",
    );
  } else if (relaxed !== undefined && relaxed.length > 0) {
    line.replaceChildren(
      "No entry has all of these words. Left out: ",
      ...relaxed.flatMap((
        word,
        i,
      ): (Node | string)[] => [i === 0 ? "" : ", ", make("s", {}, word)]),
      ". ",
      exactly("Search for all words"),
      ".",
    );
  } else if (also !== undefined) {
    line.replaceChildren(
      "Also shown: results for ",
      link({ ...search, q: also, offset: 0 }, also),
      ". Search only for ",
      exactly(search.q),
      ".",
    );
  } else if (search.exact) {
    line.replaceChildren(
      "Only words as they are written. ",
      link({ ...search, offset: 0, exact: false }, "Search for similar ones too"),
      ".",
    );
  }
  line.hidden = !search.exact && corrected === undefined && !relaxed?.length && also === undefined;
}

function hitItem({ key, title, snippet, highlights }: Hit): HTMLLIElement {
  return make(
    "li",
    {},
    make(
      "h2",
      { dir: "auto" },
      make("a", { href: urlOf({ key }) }, ...marked(title, highlights.title)),
    ),
    snippet === "" ? undefined : make("p", { dir: "auto" }, ...marked(snippet, highlights.snippet)),
    key === title ? undefined : make("p", { class: "mono" }, key),
  );
}

/** A text with its highlights. */
function marked(text: string, ranges: readonly Range[]): Child[] {
  const parts: Child[] = [];
  let end = 0;
  for (const [from, to] of ranges) {
    parts.push(text.slice(end, from), make("mark", {}, text.slice(from, to)));
    end = to;
  }
  return [...parts, text.slice(end)];
}

function showPaging(search: Search, last: number, total: number): void {
  const { offset } = search;
  const hasNext = last < total && last > offset && last <= MAX_OFFSET;
  const to = (offset: number, text: string, rel: string) =>
    make("a", { href: urlOf({ ...search, offset }), rel }, text);
  const paging = byId("paging");
  paging.hidden = offset === 0 && !hasNext;
  paging.replaceChildren(
    offset > 0 ? to(Math.max(0, offset - PAGE_SIZE), "← Previous", "prev") : make("span"),
    make("span", { class: "hint" }, `Page ${Math.floor(offset / PAGE_SIZE) + 1}`),
    hasNext ? to(last, "Next →", "next") : make("span"),
  );
}

function link(search: Search, text: string): HTMLAnchorElement {
  return make("a", { href: urlOf(search) }, text);
}
