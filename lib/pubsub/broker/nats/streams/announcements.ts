import type { StreamConfig } from "@nats-io/jetstream";
import { nameProblem } from "../../streams/stream_rights.ts";
import type { CoreLink } from "../core_link.ts";

/** Where gateways tell each other what they have changed. */
const SUBJECT = "_socktool.streams";

/** What happened to a consumer. */
export type ConsumerChange = "deleted" | "reset" | "redrive";

const CHANGES: readonly string[] = ["deleted", "reset", "redrive"] satisfies ConsumerChange[];

/** What a gateway has changed. */
type Announcement =
  | { readonly stream: string; readonly config: StreamConfig | null }
  | { readonly stream: string; readonly consumer: string; readonly change: ConsumerChange };

/** Who is told. */
export interface AnnouncementTarget {
  /** A stream was changed; without a configuration it was deleted. */
  streamChanged(name: string, config: StreamConfig | undefined): void;
  consumerChanged(stream: string, consumer: string, change: ConsumerChange): void;
}

/** Tells other gateways what was changed, so that it is in force there when the client is told. */
export class Announcements {
  readonly #link: CoreLink;
  readonly #inForce: () => Promise<unknown>;

  /** @param inForce Resolves once all other gateways have got what was published before. */
  constructor(link: CoreLink, target: AnnouncementTarget, inForce: () => Promise<unknown>) {
    this.#link = link;
    this.#inForce = inForce;
    link.subscribe(SUBJECT, {
      received: ({ data }) => take(new TextDecoder().decode(data), target),
    });
  }

  async tell(announcement: Announcement): Promise<void> {
    if (!this.#link.connected) return;
    this.#link.publish(SUBJECT, new TextEncoder().encode(JSON.stringify(announcement)));
    await this.#inForce();
  }
}

/** What a stranger publishes there may be anything; what is wrong is put right by the next look. */
function take(text: string, target: AnnouncementTarget): void {
  let told: Record<string, unknown>;
  try {
    told = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof told !== "object" || told === null || nameProblem(told["stream"])) return;
  const { stream, consumer, change, config } = told as { stream: string; consumer: string } & {
    change: ConsumerChange;
    config: StreamConfig | null;
  };
  if (CHANGES.includes(change)) {
    if (nameProblem(consumer) === undefined) target.consumerChanged(stream, consumer, change);
  } else if (config === null) target.streamChanged(stream, undefined);
  else if (config?.name === stream) target.streamChanged(stream, config);
}
