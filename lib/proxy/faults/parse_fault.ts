import { parseBytes, parseDuration } from "../../base/units.ts";
import { suggestion } from "../../base/nearest.ts";
import { checkGiven, refusal } from "../../base/option_kinds.ts";
import {
  type Fault,
  type FaultAction,
  type FaultKind,
  type FaultSelectors,
  selectsFrames,
} from "./fault.ts";
import { FaultWords } from "./fault_words.ts";
import { parseNetwork } from "./network.ts";

/** All that was returned: what else is given for a fault may be anything. */
const READ = new WeakSet<Fault>();

const DIRECTIONS = ["up", "down", "both"] as const;

/**
 * Reads a fault: `DIRECTION KIND … [selectors]`, such as `down delay 80ms jitter 20ms conn 1..2`.
 *
 * @example
 * ```ts
 * import { parseFault } from "@socktool/socktool/proxy";
 * import { assertEquals } from "@std/assert";
 *
 * const { direction, action } = parseFault("down delay 80ms jitter 20ms");
 * assertEquals(direction, "down");
 * assertEquals(action, { kind: "delay", delayMs: 80, jitterMs: 20 });
 * ```
 *
 * @throws {FaultError} if the text is no fault: it says where, and what the nearest known word is.
 * @throws {TypeError} if it is no string.
 */
export function parseFault(text: string): Fault {
  checkGiven("text", text, "text");
  const words = new FaultWords(text);
  const direction = words.choice("direction", DIRECTIONS);
  const place = words.peek();
  const kind = words.choice("kind", Object.keys(ACTIONS) as FaultKind[]);
  if (kind === "refuse" && direction !== "both") {
    words.refuse(place!, "a connection is refused whole: write both refuse");
  }
  const action = ACTIONS[kind](words);
  const selectors = readSelectors(words);
  if (kind === "refuse" && selectsFrames(selectors)) {
    words.refuse(place!, "a connection is refused before its first frame");
  }
  const fault: Fault = { text: words.normal, direction, action, selectors };
  READ.add(fault);
  return fault;
}

/**
 * Reads those that are texts.
 *
 * @throws {FaultError} if a text is no fault.
 * @throws {TypeError} if it is no array, or one is neither a text nor what {@linkcode parseFault} returned.
 */
export function readFaults(faults: readonly (Fault | string)[]): Fault[] {
  if (!Array.isArray(faults)) throw new TypeError(refusal("faults", faults, "an array of them"));
  return faults.map((fault: Fault | string) => {
    if (typeof fault === "string") return parseFault(fault);
    if (READ.has(fault)) return fault;
    throw new TypeError(refusal("a fault", fault, "a text, or what parseFault() returns"));
  });
}

/** Reads what stands behind each kind. */
const ACTIONS: Readonly<Record<FaultKind, (words: FaultWords) => FaultAction>> = {
  delay(words) {
    const delayMs = words.duration("delay");
    if (!words.takes("jitter")) return { kind: "delay", delayMs, jitterMs: 0 };
    const place = words.peek();
    const jitterMs = words.duration("jitter");
    if (jitterMs > delayMs) words.refuse(place!, "the jitter is above the delay");
    return { kind: "delay", delayMs, jitterMs };
  },
  rate(words) {
    const word = words.next("a rate, such as 256KiB/s,");
    const bytesPerSecond = parseBytes(word.text.replace(/\/s$/, "")) ??
      words.refuse(word, `${JSON.stringify(word.text)} is no rate (write 256KiB/s)`);
    if (bytesPerSecond === 0) words.refuse(word, "at a rate of 0 nothing passes: use blackhole");
    return { kind: "rate", bytesPerSecond, shared: words.takes("shared") };
  },
  loss(words) {
    const place = words.peek();
    const probability = words.probability("share");
    if (probability === 1) words.refuse(place!, "where all is lost nothing passes: use blackhole");
    return { kind: "loss", probability };
  },
  slice(words) {
    const place = words.peek();
    const unit = /[A-Za-z]*$/.exec(place?.text ?? "")![0];
    // In 1..7B the unit is that of both ends.
    const read = (text: string) => parseBytes(/^\d+(\.\d+)?$/.test(text) ? text + unit : text);
    const { from, to } = words.range("size", "1..7B", read);
    if (to === Infinity) words.refuse(place!, `${place!.text} has no end (write 1..7B)`);
    const everyMs = words.takes("every") ? words.duration("pause") : 0;
    return { kind: "slice", leastBytes: from, mostBytes: to, everyMs };
  },
  stall(words) {
    const stallMs = words.duration("time");
    return { kind: "stall", stallMs, afterBytes: readAfterBytes(words) };
  },
  corrupt: (words) => ({ kind: "corrupt", probability: words.probability("probability") }),
  blackhole: () => ({ kind: "blackhole" }),
  refuse: () => ({ kind: "refuse" }),
  close: (words) => ({ kind: "close", afterBytes: readAfterBytes(words) }),
  "half-close": (words) => ({ kind: "half-close", afterBytes: readAfterBytes(words) }),
  reset: (words) => ({ kind: "reset", afterBytes: readAfterBytes(words) }),
  drop: (words) => ofFrames("drop", words),
  duplicate: (words) => ofFrames("duplicate", words),
  reorder: (words) => ofFrames("reorder", words),
};

function ofFrames(kind: "drop" | "duplicate" | "reorder", words: FaultWords): FaultAction {
  const word = words.next("frame");
  if (word.text !== "frame") words.refuse(word, `write ${kind} frame`);
  return { kind };
}

/** `after 64KiB`, if that is next: `after 5s` is a selector. */
function readAfterBytes(words: FaultWords): number {
  const ahead = words.second();
  if (words.peek()?.text !== "after" || ahead === undefined || isTime(ahead.text)) return 0;
  words.next("after");
  return words.size("number of bytes");
}

/** Whether it is a time rather than a number of bytes. */
function isTime(text: string): boolean {
  return parseDuration(text) !== undefined && parseBytes(text) === undefined;
}

const SELECTORS = ["conn", "from", "after", "for", "frames"] as const;

function readSelectors(words: FaultWords): FaultSelectors {
  const selectors: { -readonly [K in keyof FaultSelectors]: FaultSelectors[K] } = {};
  const number = (text: string) => /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  for (let word = words.peek(); word !== undefined; word = words.peek()) {
    const { text } = word;
    const once = (name: keyof FaultSelectors) => {
      if (selectors[name] !== undefined) words.refuse(word!, `${text} is there twice`);
    };
    const equals = text.indexOf("=");
    if (equals > 0) {
      words.next("a field");
      const [name, pattern] = [text.slice(0, equals), text.slice(equals + 1)];
      selectors.fields = [...selectors.fields ?? [], { name, pattern }];
    } else if (/^\d.*%$/.test(text)) {
      once("share");
      selectors.share = words.probability("share");
    } else if (words.takes("conn")) {
      once("connections");
      selectors.connections = words.range("range of connections", "1..2", number);
    } else if (words.takes("frames")) {
      once("frames");
      selectors.frames = words.range("range of frames", "100..200", number);
    } else if (words.takes("from")) {
      const network = words.next("a network, such as 10.0.0.0/8,");
      const read = parseNetwork(network.text) ??
        words.refuse(network, `${JSON.stringify(network.text)} is no network (write 10.0.0.0/8)`);
      selectors.networks = [...selectors.networks ?? [], read];
    } else if (words.takes("after")) {
      once("afterMs");
      selectors.afterMs = words.duration("time");
    } else if (words.takes("for")) {
      once("forMs");
      selectors.forMs = words.duration("time");
    } else {
      const known = [...SELECTORS, "10%", "FIELD=VALUE"].join(", ");
      words.refuse(
        word,
        `${JSON.stringify(text)} is no selector${
          suggestion(text, [...SELECTORS, "jitter", "every", "shared"]) || `: there are ${known}`
        }`,
      );
    }
  }
  return selectors;
}
