import { byId, make } from "../common/dom.ts";
import { sendJson } from "../common/session.ts";
import { count } from "../common/units.ts";
import type { FaultFigures } from "./stats.ts";
import { messageOf } from "./message_of.ts";

type Faults = readonly FaultFigures[];

const list = byId("faults-list");
const state = byId("fault-state");
const field = byId<HTMLInputElement>("fault-text");

/** What the proxy said last. */
let known: Faults = [];
let shown = "";

/** Lets the form set faults of a proxy, and clear them. */
export function startFaults(): void {
  byId("fault").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = field.value.trim();
    void change([...setOnes(), text], `Set: ${text}`).then((done) => {
      if (done) field.value = "";
    });
  });
  byId("faults-clear").addEventListener("click", () => void change([], "No fault is set."));
}

/** Shows faults, and how often each did something. */
export function showFaults(faults: Faults): void {
  known = faults;
  // A button that somebody is about to press stays, unless something has changed.
  const now = JSON.stringify(faults);
  if (now === shown) return;
  shown = now;
  const focused = document.activeElement?.getAttribute("data-fault");
  const items = faults.map(itemOf);
  list.replaceChildren(
    ...items.length > 0 ? items : [make("li", { class: "hint" }, "None was ever set.")],
  );
  const again = [...list.querySelectorAll("button")].find((button) =>
    button.dataset["fault"] === focused
  );
  if (focused) (again ?? field).focus();
}

function itemOf({ fault, fired, set }: FaultFigures, place: number): HTMLLIElement {
  return make(
    "li",
    {},
    make("code", {}, fault),
    make("span", { class: "hint" }, set ? `fired ${timesOf(fired)}` : `was set, ${timesOf(fired)}`),
    set
      ? make("button", {
        type: "button",
        "data-fault": `${place} ${fault}`,
        "aria-label": `Clear ${fault}`,
        onclick: () => void change(withoutOne(fault), `Cleared: ${fault}`),
      }, "Clear")
      : undefined,
  );
}

function timesOf(fired: number): string {
  return fired === 1 ? "once" : `${count(fired)} times`;
}

function setOnes(): string[] {
  return known.filter(({ set }) => set).map(({ fault }) => fault);
}

/** Of two that are the same, one stays. */
function withoutOne(fault: string): string[] {
  const faults = setOnes();
  faults.splice(faults.indexOf(fault), 1);
  return faults;
}

/** @returns whether the proxy has taken them. */
async function change(faults: readonly string[], done: string): Promise<boolean> {
  let problem: string | undefined;
  try {
    const answer = await sendJson<{ readonly faults: Faults }>("/api/faults", "PUT", { faults });
    showFaults(answer.faults);
  } catch (error) {
    problem = messageOf(error);
  }
  state.classList.toggle("problem", problem !== undefined);
  state.textContent = problem ?? done;
  return problem === undefined;
}
