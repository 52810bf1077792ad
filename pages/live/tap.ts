import { byId, make } from "../common/dom.ts";
import { bytes, count } from "../common/units.ts";
import { brokerClient, type Client } from "./broker.ts";
import { messageOf } from "./message_of.ts";

type Subscription = Awaited<ReturnType<Client["subscribe"]>>;
type Message = Subscription extends AsyncIterable<infer M> ? M : never;

/** How many publications are shown, and how many are taken before the page is painted. */
const SHOWN = 100;
const PART = 50;

/** Bounds of what waits for the page: beyond them the oldest are left out, and that is shown. */
const LIMITS = { maxQueuedMessages: 1_000, maxQueuedBytes: 4_194_304 };

const SHOWN_LENGTH = 1_000;

const list = byId("tap-list");
const state = byId("tap-state");
const button = byId("tap-button");
const filter = byId<HTMLInputElement>("tap-filter");

let subscription: Subscription | undefined;

/** Lets the form begin and end a subscription, whose publications are listed. */
export function startTap(): void {
  byId("tap").addEventListener("submit", (event) => {
    event.preventDefault();
    if (subscription !== undefined) void subscription.return();
    else void listen(filter.value.trim());
  });
}

async function listen(topic: string): Promise<void> {
  let came = 0;
  let missed = 0;
  const say = () => {
    const lost = missed === 0 ? "" : `, ${count(missed)} missed`;
    tell(`Listening to ${topic}: ${count(came)} came${lost}.`);
  };
  tell(`Connecting…`);
  try {
    const client = await brokerClient();
    subscription = await client.subscribe(topic, {
      slow: "drop-oldest",
      ...LIMITS,
      onMissed(told) {
        missed += told.count ?? 0;
        const number = told.count === null ? "Publications" : count(told.count);
        const why = told.reason === "disconnected"
          ? "while there was no connection"
          : told.reason === "too-large"
          ? "too large for this page"
          : "this page was too slow";
        show(make("li", { class: "missed" }, `${number} missed: ${why}`));
        say();
      },
    });
  } catch (error) {
    return tell(messageOf(error), true);
  }
  list.replaceChildren();
  list.hidden = false;
  button.textContent = "Stop";
  filter.readOnly = true;
  say();
  try {
    for await (const message of subscription) {
      show(itemOf(message));
      came++;
      // The page is painted before more is taken: the broker's policy deals with what it cannot take.
      if (came % PART === 0) await new Promise(requestAnimationFrame);
      say();
    }
    tell(`Stopped: ${count(came)} came${missed === 0 ? "" : `, ${count(missed)} missed`}.`);
  } catch (error) {
    tell(messageOf(error), true);
  } finally {
    subscription = undefined;
    button.textContent = "Listen";
    filter.readOnly = false;
  }
}

function show(item: HTMLLIElement): void {
  list.prepend(item);
  while (list.childElementCount > SHOWN) list.lastElementChild!.remove();
}

function itemOf(message: Message): HTMLLIElement {
  const { topic, header, content } = message;
  return make(
    "li",
    {},
    make(
      "div",
      { class: "head" },
      make("strong", { class: "mono" }, topic),
      make("span", { class: "hint" }, String(header["content-type"])),
      message.retained ? make("span", { class: "hint" }, "retained") : undefined,
      make(
        "span",
        { class: "hint" },
        `${bytes(content.length)}, ${new Date().toLocaleTimeString("en-GB")}`,
      ),
    ),
    make("pre", { dir: "auto" }, textOf(message)),
  );
}

/** The beginning of a content, as text if it is one. */
function textOf({ content }: Message): string {
  const part = content.subarray(0, SHOWN_LENGTH);
  const text = new TextDecoder().decode(part);
  const rest = content.length > SHOWN_LENGTH ? "…" : "";
  // deno-lint-ignore no-control-regex
  if (!/[\0-\x08\x0e-\x1f\ufffd]/.test(text.slice(0, -1))) return text + rest;
  return Array.from(part.subarray(0, 128), (byte) => byte.toString(16).padStart(2, "0")).join(" ") +
    (content.length > 128 ? " …" : "");
}

function tell(text: string, isProblem = false): void {
  state.classList.toggle("problem", isProblem);
  if (state.textContent !== text) state.textContent = text;
}
