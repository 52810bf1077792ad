/**
 * The search page: one field, results as one types, and each entry at its own link. What is shown is
 * in the URL, so links, reloading, and the browser's Back work.
 *
 * @module
 */
import { byId } from "../common/dom.ts";
import { ApiError } from "../common/session.ts";
import type { Found, WithEntry } from "./api.ts";
import { Asking } from "./asking.ts";
import { hideEntry, showEntry } from "./entry.ts";
import { entryPath, PAGE_SIZE, type Place, placeOf, type Search, urlOf } from "./place.ts";
import { clearResults, say, showFound } from "./results.ts";
import { Suggestions } from "./suggestions.ts";

/** A pause in typing after which it is searched. */
const TYPING_MS = 60;

/** Notes in the browser's history that an entry was opened from what stands before it. */
const FROM_HERE = "from-here";

const field = byId<HTMLInputElement>("q");
const asking = new Asking<Found | WithEntry>();
const suggestions = new Suggestions((key) => go({ key }));
/** The list that was shown last, for going back to it at once, and the key of what was opened. */
let last: { readonly url: string; readonly found: Found } | undefined;
let opened: string | undefined;

/** Shows a place and puts it into the browser's history. */
function go(place: Place): void {
  const url = urlOf(place);
  if (url !== location.pathname + location.search) {
    history.pushState("key" in place ? FROM_HERE : null, "", url);
  }
  show(place);
  scrollTo(0, 0);
}

function show(place: Place): void {
  asking.stop();
  suggestions.close();
  if ("key" in place) void showEntryOf(place.key);
  else void showSearch(place, 0);
}

/** Shows what the browser's history says: a list that was shown before at once, where it was left. */
function showAgain(): void {
  const place = placeOf(new URL(location.href));
  if ("key" in place || last?.url !== urlOf(place)) return show(place);
  asking.stop();
  begin(place);
  showFound(place, last.found);
  const href = opened === undefined ? undefined : urlOf({ key: opened });
  links().find((link) => link.getAttribute("href") === href)?.focus({ preventScroll: true });
}

function begin({ q }: Search): void {
  if (field.value !== q) field.value = q;
  hideEntry();
  welcome(q.trim() === "");
  document.title = q === "" ? "Search" : `${q} – Search`;
}

/** Before anything is asked for, the field is in the middle, below a heading. */
function welcome(isStart: boolean): void {
  byId("main").classList.toggle("start", isStart);
  byId("heading").classList.toggle("unseen", !isStart);
}

async function showSearch(search: Search, waitMs: number): Promise<void> {
  const { q, offset, exact } = search;
  begin(search);
  if (q.trim() === "") {
    asking.stop();
    clearResults();
    return say("Type to search.");
  }
  const params = new URLSearchParams({ q, limit: String(PAGE_SIZE), offset: String(offset) });
  if (exact) params.set("exact", "true");
  const found = await answer(`/api/search?${params}`, waitMs) as Found | undefined;
  if (found === undefined) return;
  last = { url: urlOf(search), found };
  opened = undefined;
  showFound(search, found);
}

async function showEntryOf(key: string): Promise<void> {
  clearResults();
  hideEntry();
  welcome(false);
  say("");
  opened = key;
  const found = await answer(entryPath("/api/entry", key), 0) as WithEntry | undefined;
  if (found === undefined) return;
  say("");
  document.title = `${found.entry.title} – Search`;
  showEntry(found, last?.url);
  byId("entry").querySelector("h2")!.focus({ preventScroll: true });
}

/** The answer; `undefined` if there is none any more, or one that says what is wrong. */
async function answer(path: string, waitMs: number): Promise<Found | WithEntry | undefined> {
  try {
    return await asking.ask(path, waitMs, (message) => say(message, true));
  } catch (error) {
    clearResults();
    say(
      error instanceof ApiError ? `${error.message}.`.replace(/\.\.$/, ".") : String(error),
      true,
    );
    return undefined;
  }
}

function typed(): void {
  const search = { q: field.value, offset: 0, exact: false };
  const isList = !("key" in placeOf(new URL(location.href)));
  // A step in the history for each search, not for each letter.
  if (isList) history.replaceState(null, "", urlOf(search));
  else history.pushState(null, "", urlOf(search));
  void showSearch(search, TYPING_MS);
  void suggestions.typed(search.q, TYPING_MS);
}

function links(): HTMLAnchorElement[] {
  return [...byId("hits").querySelectorAll("a")];
}

/** Keys in the field. */
function inField(key: string): boolean {
  switch (key) {
    case "ArrowDown":
    case "ArrowUp":
      if (suggestions.isOpen) suggestions.move(key === "ArrowDown" ? 1 : -1);
      else if (key === "ArrowDown") links()[0]?.focus();
      return true;
    case "Enter": {
      const { chosen } = suggestions;
      if (chosen === undefined) go({ q: field.value, offset: 0, exact: false });
      else go({ key: chosen });
      return true;
    }
    case "Escape":
      if (suggestions.isOpen) suggestions.close();
      else if (field.value !== "") {
        field.value = "";
        typed();
      }
      return true;
  }
  return false;
}

/** Keys elsewhere. */
function onPage(key: string): boolean {
  const all = links();
  const at = all.indexOf(document.activeElement as HTMLAnchorElement);
  switch (key) {
    case "/":
      field.focus();
      field.select();
      return true;
    case "ArrowDown":
      if (at < 0) return false;
      all[at + 1]?.focus();
      return true;
    case "ArrowUp":
      if (at < 0) return false;
      (all[at - 1] ?? field).focus();
      return true;
    case "Escape":
      if (byId("entry").hidden) field.focus();
      else byId("back").click();
      return true;
  }
  return false;
}

field.addEventListener("input", typed);
field.addEventListener("blur", () => suggestions.close());
byId("form").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (byId("main").hidden) return;
  if (event.target === field ? inField(event.key) : onPage(event.key)) event.preventDefault();
});
// Links within the page are followed without loading it anew, and without losing who the user is.
document.addEventListener("click", (event) => {
  const link = (event.target as Element).closest("a");
  const isPlain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (!link || !isPlain || !/^\/(entry\b|\?|$)/.test(link.getAttribute("href")!)) return;
  event.preventDefault();
  if (link.id === "back" && history.state === FROM_HERE) history.back();
  else go(placeOf(new URL(link.href)));
});
addEventListener("popstate", showAgain);

const first = placeOf(new URL(location.href));
show(first);
if (!("key" in first)) field.focus();
