import { MAX_CACHED_BYTES } from "../../../base/byte_cache.ts";
import type { Frame, FrameHeader } from "../../../frame/mod.ts";
import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import type { Principal } from "../../../access/mod.ts";
import { mayPublish } from "./rights.ts";
import { NOBODY, type Route } from "./route.ts";
import type { Router } from "./router.ts";
import { INBOX_PREFIX, isSystem, SYSTEM_PREFIX, topicProblem } from "../../protocol/topic.ts";

/** What a header with the op `pub` asks for. */
export interface Publication {
  readonly topic: string;
  /** Whether it goes to its receivers and that is all: not retained, not to be confirmed. */
  readonly plain: boolean;
  /** Whether the broker itself answers it. */
  readonly system: boolean;
  /** Why it is not done. */
  readonly refusal: Refusal | undefined;
  /** Where it goes; `undefined` if that has to be searched for. */
  route: Route | undefined;
  /** For which state of the router the route was found. */
  generation: number;
}

/** Headers whose publication is remembered. */
const MAX_HEADERS = 8_192;

/** After this many misses in a row only every `SAMPLE`th header is remembered. */
const MISSES_BEFORE_SAMPLING = 64;
const SAMPLE = 16;

/**
 * Publications by their header object: frames with equal headers share one, so that what a header
 * asks for, whether its sender may, and where it goes are found once.
 */
export class Publications {
  readonly #router: Router;
  readonly #principal: Principal;
  readonly #byHeader = new Map<FrameHeader, Publication>();
  #misses = 0;

  /** For the clients of one principal. */
  constructor(router: Router, principal: Principal) {
    this.#router = router;
    this.#principal = principal;
  }

  /** The publication of a frame with the op `pub`, its route as of this moment. */
  find({ header, start, contentStart }: Frame): Publication {
    let publication = this.#byHeader.get(header);
    if (publication === undefined) {
      publication = this.#read(header);
      // A header with an id does not come again, and no larger one as the same object.
      const recurs = publication.plain && contentStart - start - 2 <= MAX_CACHED_BYTES;
      if (recurs) this.#remember(header, publication);
    } else this.#misses = 0;
    const { generation } = this.#router;
    if (publication.generation !== generation && publication.refusal === undefined) {
      publication.route = this.#router.find(publication.topic);
      publication.generation = generation;
    }
    return publication;
  }

  #remember(header: FrameHeader, publication: Publication): void {
    if (this.#misses++ >= MISSES_BEFORE_SAMPLING && this.#misses % SAMPLE !== 0) return;
    if (this.#byHeader.size >= MAX_HEADERS) this.#byHeader.clear();
    this.#byHeader.set(header, publication);
  }

  #read(header: FrameHeader): Publication {
    const topic = header["topic"] as string;
    const refusal = this.#refusal(header);
    const system = refusal === undefined && topic.startsWith(SYSTEM_PREFIX);
    const plain = refusal === undefined && !system && header["id"] === undefined &&
      header["retain"] !== true;
    return { topic, plain, system, refusal, route: NOBODY, generation: -1 };
  }

  #refusal(header: FrameHeader): Refusal | undefined {
    const replyTo = header["reply-to"];
    const replyProblem = replyTo === undefined ? undefined : topicProblem(replyTo);
    if (replyProblem !== undefined) {
      const message = `Cannot use ${quote(replyTo)} as reply-to: ${replyProblem}`;
      return { code: "bad-topic", message };
    }
    const { retain } = header;
    if (retain !== undefined && typeof retain !== "boolean") {
      return { code: "bad-field", message: "The field retain must be true or false" };
    }
    if (header["group"] !== undefined) {
      return { code: "bad-field", message: "The field group is the broker's to set" };
    }
    return publishRefusal(this.#principal, header["topic"]);
  }
}

/**
 * Why a principal may not publish to a topic; `undefined` if it may. Whatever is published on
 * somebody's behalf, also by the broker itself, is checked here, as theirs.
 */
export function publishRefusal(principal: Principal, topic: unknown): Refusal | undefined {
  if (topic === undefined) return { code: "bad-topic", message: "The field topic is missing" };
  const problem = topicProblem(topic);
  if (problem !== undefined) {
    return { code: "bad-topic", message: `Cannot publish to ${quote(topic)}: ${problem}` };
  }
  const name = topic as string;
  const known = name.startsWith(INBOX_PREFIX) || name.startsWith(SYSTEM_PREFIX);
  if (isSystem(name) && !known) {
    const message = `Cannot publish to ${quote(name)}: topics that begin with _ are the system's`;
    return { code: "forbidden", message };
  }
  if (!mayPublish(principal, name)) {
    const message = `${principal.name} may not publish to ${quote(name)}`;
    return { code: "forbidden", message };
  }
  return undefined;
}
