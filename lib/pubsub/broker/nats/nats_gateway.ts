import type { Frame, FrameHeader } from "../../../frame/mod.ts";
import type { Refusal } from "../../protocol/codes.ts";
import { quote } from "../../protocol/quote.ts";
import { isInbox, SYSTEM_PREFIX } from "../../protocol/topic.ts";
import type { Backplane, BackplaneFigures, BackplaneHost, SharedBackplane } from "../backplane.ts";
import type { ClusterOptions } from "./cluster.ts";
import { CoreLink } from "./core_link.ts";
import { Gateways } from "./gateways.ts";
import { Incoming } from "./incoming.ts";
import { Interest } from "./interest.ts";
import { NatsLink } from "./nats_link.ts";
import type { NatsObserver } from "./nats_observer.ts";
import { Origins } from "./origins.ts";
import { Outgoing } from "./outgoing.ts";
import { Responders } from "./responders.ts";
import { RetainedValues } from "./retained_values.ts";
import { JetStreamStore } from "./streams/jetstream_store.ts";
import { type ClusterWait, waitForCluster } from "./wait_for_cluster.ts";

/** The connections of a gateway to its cluster. */
interface Links {
  /** Publishes, and brings publications. It gets nothing back of what it sends. */
  readonly core: CoreLink;
  /**
   * Brings publications for members of groups: they share what this broker's own clients publish with
   * members elsewhere.
   */
  readonly groups: CoreLink;
  /** For JetStream, by the official client. */
  readonly jetStream: NatsLink;
}

/** Makes a broker a gateway of a NATS cluster. */
export class NatsGateway implements Backplane, SharedBackplane, AsyncDisposable {
  readonly shared: SharedBackplane = this;
  readonly streams: JetStreamStore;
  readonly #observer: NatsObserver;
  readonly #link: CoreLink;
  readonly #links: Links;
  readonly #name = startName();
  readonly #origins = new Origins();
  readonly #outgoing: Outgoing;
  readonly #responders: Responders;
  #interest!: Interest;
  #incoming!: Incoming;
  #retained!: RetainedValues;
  #gateways!: Gateways;
  #started: Promise<void> | undefined;
  #closed: Promise<void> | undefined;

  private constructor(links: Links, observer: NatsObserver) {
    const { core, groups, jetStream } = links;
    this.#links = links;
    this.#link = core;
    this.#observer = observer;
    this.#outgoing = new Outgoing(core, this.#name);
    this.#responders = new Responders(core);
    this.streams = new JetStreamStore(core, jetStream, this.#name, this.#outgoing.counters);
    const refused = (message: string) => observer.refused?.(message);
    core.events = {
      disconnected: () => observer.disconnected?.(core.server),
      reconnected: () => this.#reconnected(),
      refused,
    };
    // One connection tells of the cluster.
    groups.events = { disconnected() {}, reconnected() {}, refused };
    jetStream.events = {
      disconnected() {},
      reconnected: () => this.streams.reconnected(),
      refused,
    };
  }

  /** @throws {NatsError} */
  static async connect(
    options: ClusterOptions & ClusterWait,
    observer: NatsObserver,
  ): Promise<NatsGateway> {
    const links = await waitForCluster(() => openLinks(options), options);
    const gateway = new NatsGateway(links, observer);
    await gateway.streams.open();
    return gateway;
  }

  get lack(): string | undefined {
    if (this.#link.connected) {
      const why = this.#retained.lack ?? this.streams.lack;
      return why && `JetStream is unavailable, so nothing can be retained or stored: ${why}`;
    }
    return `no connection to NATS at ${this.#link.server}: other brokers are not reached`;
  }

  get figures(): BackplaneFigures {
    const { connected, server, reconnects } = this.#link;
    const { received, lost, unusable } = this.#incoming;
    const brokers = this.#origins.alive.length;
    const { published } = this.#outgoing;
    return { connected, server, reconnects, brokers, published, received, lost, unusable };
  }

  attach(host: BackplaneHost): void {
    for (const link of Object.values(this.#links)) link.turn = () => host.turn();
    this.#interest = new Interest(this.#link, this.#links.groups, {
      received: (via, message) => this.#incoming.take(via, message),
      receivedForGroup: (group, message) => this.#incoming.takeForGroup(group, message),
      inForce: async (link) => {
        await this.#started;
        return await this.#gateways.inForce(link);
      },
    });
    this.#incoming = new Incoming(
      this.#name,
      host,
      this.#interest,
      this.#origins,
      (replyTo) => this.#responders.none(replyTo),
    );
    const { counters } = this.#outgoing;
    this.#gateways = new Gateways(
      this.#name,
      this.#link,
      this.#links.groups,
      this.#origins,
      counters,
      this.#incoming,
    );
    this.#started = this.#gateways.start();
    this.#retained = new RetainedValues(this.#links.jetStream, this.#name, host);
    this.streams.start(host, async () => {
      await this.#started;
      await this.#gateways.inForce(this.#link);
    });
  }

  publishRefusal(header: FrameHeader): Refusal | undefined {
    return this.#outgoing.refusal(header);
  }

  subscribeRefusal(
    filter: string,
    group: string | undefined,
    noLocal: boolean,
  ): Refusal | undefined {
    if (filter.startsWith("$")) {
      const message = `Cannot subscribe to ${
        quote(filter)
      }: topics that begin with $ are those of NATS`;
      return { code: "bad-filter", message };
    }
    if (group === undefined || !noLocal) return undefined;
    const message = "A member of a group cannot use no-local where brokers share a NATS cluster: " +
      "what is for the group does not tell which connection published it";
    return { code: "bad-field", message };
  }

  open(filter: string, group: string | undefined): Promise<Refusal | undefined> {
    if (filter.startsWith(SYSTEM_PREFIX)) return Promise.resolve(undefined);
    return group === undefined ? this.#open(filter) : this.#interest.join(filter, group);
  }

  close(filter: string, group: string | undefined): void {
    if (filter.startsWith(SYSTEM_PREFIX)) return;
    if (group === undefined) this.#interest.close(filter);
    else this.#interest.leave(filter, group);
  }

  publish(frames: readonly Frame[], first: number, last: number): void {
    this.#outgoing.publish(frames, first, last);
  }

  async retain(topic: string, frame: Frame): Promise<Refusal | undefined> {
    return await this.#retained.store(topic, frame);
  }

  room(): Promise<void> | undefined {
    return this.#link.room();
  }

  hasResponders(replyTo: string): Promise<boolean> {
    return this.#responders.some(replyTo);
  }

  /** Ends in order: what was published is on its way to the others, and they know how much that is. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.#closed ??= this.#close();
  }

  /** Resolves once what is published comes live, and what was retained before is known here. */
  async #open(filter: string): Promise<Refusal | undefined> {
    const refusal = await this.#interest.open(filter);
    if (refusal === undefined && !isInbox(filter)) await this.#retained.caughtUp();
    return refusal;
  }

  async #close(): Promise<void> {
    await this.#started;
    await this.streams[Symbol.asyncDispose]();
    await this.#gateways?.end();
    await this.#retained?.close();
    const { core, groups, jetStream } = this.#links;
    await Promise.all([core, groups, jetStream].map((link) => link[Symbol.asyncDispose]()));
  }

  #reconnected(): void {
    this.#origins.forgive(performance.now());
    this.#observer.reconnected?.(this.#link.server);
  }
}

/** Opens all of them or none. @throws {NatsError} */
async function openLinks(options: ClusterOptions): Promise<Links> {
  await using opened = new AsyncDisposableStack();
  const links = {
    core: opened.use(await CoreLink.connect(options, true)),
    groups: opened.use(await CoreLink.connect(options, false)),
    jetStream: opened.use(await NatsLink.connect(options)),
  };
  opened.move();
  return links;
}

/** Names this start of this gateway, in few bytes: each message has it. */
function startName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return bytes.toBase64({ alphabet: "base64url" });
}
