import type { BrokerCore } from "./broker_core.ts";
import type { Refusal } from "../protocol/codes.ts";
import type { Requester } from "./requester.ts";
import { publishRefusal } from "./routing/publications.ts";
import type { Will } from "./will.ts";

/** The last will of a connection, as a publication of its client's. */
export class LastWill {
  readonly #owner: Pick<Requester, "id" | "principal" | "subscriptions">;
  readonly #core: BrokerCore;
  #will: Will | undefined;

  /** Has none at first. */
  constructor(owner: Pick<Requester, "id" | "principal" | "subscriptions">, core: BrokerCore) {
    this.#owner = owner;
    this.#core = core;
  }

  /**
   * Sets it, instead of what was set before; `undefined` for none.
   *
   * @returns Why it is refused, if it is; then nothing has changed.
   */
  set(will: Will | undefined): Refusal | undefined {
    const { principal, subscriptions } = this.#owner;
    if (will) {
      const refusal = publishRefusal(principal!, will.topic) ??
        this.#core.shared?.publishRefusal(will.frame.header) ??
        subscriptions.keep(will.cost, "a will");
      if (refusal) return refusal;
    }
    subscriptions.forget(this.#will?.cost ?? 0);
    this.#will = will;
    return undefined;
  }

  /** Publishes it, unless the connection ended as it should. */
  async connectionEnded(isWanted: boolean): Promise<void> {
    const will = this.#will;
    if (will === undefined) return;
    // Its rights may have changed meanwhile.
    const principal = this.#owner.principal?.current;
    if (!isWanted && principal && !publishRefusal(principal, will.topic)) {
      await this.#core.inTurn.publish(will.topic, () => will.bytes);
      await this.#keep(will);
    }
    // What waits for its turn counts.
    this.set(undefined);
  }

  /** Has a stream keep it that keeps its topic. A store that carries publications has got it already. */
  async #keep({ topic, frame }: Will): Promise<void> {
    const { streams, router } = this.#core;
    if (streams === undefined || streams.carries) return;
    const stream = streams.streamOf(topic, (nodes) => router.visited(nodes));
    if (stream === undefined) return;
    const { id } = this.#owner;
    await streams.room(id, frame.bytes.length);
    streams.append(stream, frame, id);
  }
}
