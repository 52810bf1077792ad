import { byId, make } from "../common/dom.ts";
import type { Suggested } from "./api.ts";
import { Asking } from "./asking.ts";

const LIMIT = 5;

/** The list below the field: entries that begin with what was typed. */
export class Suggestions {
  readonly #field = byId<HTMLInputElement>("q");
  readonly #list = byId("suggestions");
  readonly #asking = new Asking<Suggested>();
  readonly #choose: (key: string) => void;
  #keys: readonly string[] = [];
  #active = -1;

  /** @param choose Is called with the key of the entry that the user chose. */
  constructor(choose: (key: string) => void) {
    this.#choose = choose;
    // The field keeps the focus.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
  }

  /** Whether the list is shown. */
  get isOpen(): boolean {
    return !this.#list.hidden;
  }

  /** The key that is chosen with the arrows, if one is. */
  get chosen(): string | undefined {
    return this.#keys[this.#active];
  }

  /** Asks for what begins with what was typed, and shows it. */
  async typed(text: string, waitMs: number): Promise<void> {
    if (text.trim() === "") return this.close();
    try {
      const path = `/api/suggest?${new URLSearchParams({ q: text, limit: String(LIMIT) })}`;
      const answer = await this.#asking.ask(path, waitMs);
      if (answer !== undefined) this.#show(answer);
    } catch {
      // Who may not ask for suggestions searches without; other troubles the search tells.
      this.close();
    }
  }

  /** Goes to the next one, or the one before; beyond the ends none is chosen. */
  move(step: 1 | -1): void {
    const places = this.#keys.length + 1;
    this.#activate((this.#active + 1 + step + places) % places - 1);
  }

  /** Shows nothing, and drops what was asked. */
  close(): void {
    this.#asking.stop();
    this.#list.hidden = true;
    this.#field.setAttribute("aria-expanded", "false");
    this.#activate(-1);
    this.#keys = [];
  }

  #show({ suggestions }: Suggested): void {
    if (suggestions.length === 0 || document.activeElement !== this.#field) return this.close();
    this.#keys = suggestions.map(({ key }) => key);
    this.#list.replaceChildren(
      ...suggestions.map(({ key, title }, i) =>
        make(
          "li",
          {
            id: `suggestion-${i}`,
            role: "option",
            "aria-selected": "false",
            onclick: () => this.#choose(key),
          },
          make("span", { dir: "auto" }, title),
          key === title ? undefined : make("span", { class: "mono" }, key),
        )
      ),
    );
    this.#list.hidden = false;
    this.#field.setAttribute("aria-expanded", "true");
    this.#activate(-1);
  }

  #activate(index: number): void {
    this.#active = index;
    for (const [i, item] of [...this.#list.children].entries()) {
      item.setAttribute("aria-selected", String(i === index));
    }
    if (index < 0) this.#field.removeAttribute("aria-activedescendant");
    else this.#field.setAttribute("aria-activedescendant", `suggestion-${index}`);
  }
}
