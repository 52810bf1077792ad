import { OverBudgetError } from "../../base/budget.ts";
import { type Frame, FrameDecoder, type FrameError, type HeaderInit } from "../../frame/mod.ts";
import { type CloseReason, type Connection, formatAddress, networkOf } from "../../net/mod.ts";
import type { Account, BrokerCore } from "./broker_core.ts";
import { applyChangedRights } from "./changed_rights.ts";
import type { BrokerConnection, ConnectionSource } from "./broker_stats.ts";
import type { ByeReason, PubSubErrorCode, Refusal } from "../protocol/codes.ts";
import { Pace } from "./delivery/pace.ts";
import { Outbox, type OutboxOwner } from "./delivery/outbox.ts";
import type { LoginAttempt, Principal } from "../../access/mod.ts";
import type { Requester } from "./requester.ts";
import type { Publication } from "./routing/publications.ts";
import { controlBytes } from "../protocol/control_frame.ts";
import { BAD_ID, isId } from "../protocol/request_id.ts";
import { performOperation } from "./operations.ts";
import type { Route } from "./routing/route.ts";
import { answerSystemTopic } from "./system_topics.ts";
import { ConnectionSubscriptions } from "./connection_subscriptions.ts";

/** A header that leaves room for the fields that a group's delivery gets. */
const MAX_HEADER_BYTES = 64_000;

/** What a ping is on the wire. */
const PING_BYTES = controlBytes("ping");

/** How long a peer that is told to go may take to read what is on its way. */
const CLOSING_MS = 2_000;

/** Of the memory for all filters, what those of one connection may take. */
const CONNECTION_SHARE = 1 / 4;

/** What a reason is for the connection. */
const CLOSE_REASONS: Partial<Record<ByeReason, CloseReason>> = {
  shutdown: "drained",
  idle: "idle",
  bye: "done",
  unauthorized: "unauthorized",
  "over-budget": "over-budget",
};

/** One client at the broker: reads what it sends, and forwards what it publishes. */
export class Session implements Requester, OutboxOwner, ConnectionSource {
  readonly outbox: Outbox;
  readonly subscriptions: ConnectionSubscriptions;
  name = "";
  principal: Principal | undefined;
  inbox: string | undefined;
  /** When it last gave a sign of life, in milliseconds of `performance.now()`. */
  heardAt: number = performance.now();
  /** How many pings it has left unanswered. */
  pings = 0;
  /** Bytes that its socket had taken at the last look, and how many of these were pings. */
  #takenBytes = 0;
  #pingBytes = 0;
  readonly #connection: Connection;
  readonly #core: BrokerCore;
  readonly #decoder: FrameDecoder;
  #account: Account | undefined;
  #published = 0;
  /** Made when it publishes: most connections do not. */
  #pace: Pace<Outbox> | undefined;
  /** What a request has to wait for before the next is dealt with. */
  #pause: Promise<void> | undefined;
  /** A login that is being checked; no further request is dealt with meanwhile. */
  #login: Promise<void> | undefined;
  /** Aborted when the client has left during its login. */
  #gone: AbortController | undefined;
  #bye: ByeReason | undefined;
  #ending: Promise<void> | undefined;
  /** Why its client may not be connected any more. */
  #revoked: Refusal | undefined;

  /** Serves a connection once `serve` is called. */
  constructor(connection: Connection, core: BrokerCore) {
    this.#connection = connection;
    this.#core = core;
    this.#decoder = new FrameDecoder({
      maxContentBytes: core.limits.maxContentBytes,
      maxHeaderBytes: MAX_HEADER_BYTES,
      headerCache: core.headerCache,
    });
    const { maxPendingBytes } = core.limits;
    this.outbox = new Outbox(connection.output, this, core.sendList, maxPendingBytes);
    this.subscriptions = new ConnectionSubscriptions(this.outbox, core);
    if (core.anonymous) this.identify(core.anonymous);
    connection.onDrain = () => this.end("shutdown");
    connection.onEvict = () => this.#evicted();
  }

  /** Why the broker ends the connection, if it does. */
  get bye(): ByeReason | undefined {
    return this.#bye;
  }

  get ending(): boolean {
    return this.#ending !== undefined;
  }

  /** When it connected, in milliseconds of `performance.now()`. */
  get openedAt(): number {
    return this.#connection.openedAt;
  }

  get id(): number {
    return this.#connection.id;
  }

  get pendingBytes(): number {
    return this.outbox.pendingBytes;
  }

  get figures(): BrokerConnection {
    const { id, remote, openedAt } = this.#connection;
    const { pendingBytes, delivered, missed } = this.outbox;
    return {
      id,
      remote: formatAddress(remote),
      name: this.name,
      user: this.principal?.name ?? "",
      filters: this.subscriptions.size,
      pendingBytes,
      published: this.#published,
      delivered,
      missed,
      openMs: Math.round(performance.now() - openedAt),
    };
  }

  identify(principal: Principal): void {
    this.principal = principal;
    this.#account = this.#core.enter(principal, this.#account);
    const { maxFilterBytes } = this.#core.limits;
    this.subscriptions.setAccount(this.#account, maxFilterBytes * CONNECTION_SHARE);
  }

  /** Looks whether what its client may do has changed. */
  checkRights(): void {
    const applied = applyChangedRights(this);
    if (applied) void applied.then(() => void this.#core.sendList.flush());
  }

  waitFor(promise: Promise<void>): void {
    this.#pause = promise;
  }

  waitForLogin(login: (attempt: LoginAttempt) => Promise<void>): void {
    const { signal } = this.#gone = new AbortController();
    // Nothing else may come that would have its answer sent.
    this.#login = login({ peer: networkOf(this.#connection.remote), signal })
      .then(() => void this.#core.sendList.flush());
  }

  refuse({ code, message }: Refusal, id?: number, about?: HeaderInit): void {
    this.#core.counters.errors++;
    if (code === "over-budget") this.#core.counters.overBudget++;
    this.#core.observer.refused?.(this.figures, { code, message });
    this.outbox.control("error", { code, message, id, ...about });
  }

  /**
   * Ends the connection in order: what waits is delivered, then `bye`. For a slow consumer, and for
   * who may not be connected any more, what waits is dropped.
   */
  end(reason: ByeReason): void {
    if (this.#ending) return;
    this.#bye = reason;
    this.#gone?.abort();
    this.#ending = this.#finish(reason);
  }

  revoke(refusal: Refusal): void {
    this.#revoked = refusal;
    this.end("unauthorized");
  }

  tooSlow(): void {
    this.#core.observer.slow?.(this.figures);
  }

  overflowed(): void {
    this.end("slow-consumer");
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.pings++;
    this.#pingBytes += PING_BYTES;
    this.outbox.control("ping");
  }

  /** A client that takes what is delivered is alive, whether it answers pings or not. */
  noteTaken(now: number): void {
    const takenBytes = this.outbox.writtenBytes - this.#pingBytes;
    if (takenBytes <= this.#takenBytes) return;
    this.#takenBytes = takenBytes;
    this.heardAt = now;
    this.pings = 0;
  }

  /** Serves until the connection is over. */
  async serve(): Promise<void> {
    try {
      await this.#receive();
      if (!this.#ending) await this.#connection.finish("done", true);
      await this.#ending;
    } finally {
      this.outbox.close();
      this.#core.inboxes.close(this.inbox);
      await this.#endSubscriptions();
      if (this.#account) this.#core.leave(this.#account);
      const { delivered, deliveredBytes } = this.outbox;
      const { counters } = this.#core;
      counters.delivered += delivered;
      counters.deliveredBytes += deliveredBytes;
      counters.missed += this.outbox.missed;
    }
  }

  // The hot path: a read, the frames in it, each run handed to its receivers, a flush per receiver.
  async #receive(): Promise<void> {
    const connection = this.#connection;
    const { input } = connection;
    while (!this.#ending) {
      connection.midFrame = this.#decoder.midFrame;
      let count: number | null;
      try {
        count = await connection.readSome();
      } catch (cause) {
        this.#gone?.abort();
        if (this.#ending) return;
        const error = connection.readError(cause);
        if (!(error instanceof OverBudgetError)) throw error;
        return this.#endOverBudget(error.message);
      }
      if (this.#ending) return;
      if (this.#login) {
        if (count === null) this.#gone?.abort();
        await this.#loggedIn();
        if (this.#ending) return;
      }
      if (count === null) return this.#ended();
      connection.received(count);
      connection.midFrame = false;
      this.checkRights();
      if (this.#ending) return;
      this.heardAt = performance.now();
      this.pings = 0;
      let error: FrameError | undefined;
      let consumed = 0;
      do {
        const batch = this.#decoder.decode(input.bytes, input.start + consumed, input.end);
        let next = 0;
        do {
          next = this.#handle(batch.frames, next);
          const held = this.#core.sendList.flush(this.#pace);
          if (held) await held;
          if (this.#pause) await this.#resume();
          if (this.#login && next < batch.frames.length) await this.#loggedIn();
          const full = this.outbox.roomForReplies();
          if (full) await full;
        } while (next < batch.frames.length && !this.#ending);
        connection.readFrames += batch.frames.length;
        consumed += batch.consumed;
        error = batch.error;
        if (error && !this.#ending) this.#broken(error);
      } while (error?.recoverable && !this.#ending);
      input.consume(consumed);
      const turn = connection.turn();
      if (turn) await turn;
    }
  }

  async #loggedIn(): Promise<void> {
    await this.#login;
    this.#login = this.#gone = undefined;
  }

  async #resume(): Promise<void> {
    const pause = this.#pause;
    this.#pause = undefined;
    await pause;
    this.#core.sendList.flush();
  }

  /**
   * Deals with frames from one on.
   *
   * @returns Where to go on once `#pause` is over; the number of frames if all are dealt with.
   */
  #handle(frames: readonly Frame[], from: number): number {
    const publications = this.#account?.publications;
    let first = from;
    let route: Route | undefined;
    let last: Publication | undefined;
    let lastHeader: unknown;
    for (let i = from; i < frames.length; i++) {
      const frame = frames[i]!;
      const { header } = frame;
      // Most frames have the header of the one before.
      if (header !== lastHeader) {
        lastHeader = header;
        last = publications !== undefined && header["op"] === "pub"
          ? publications.find(frame)
          : undefined;
      }
      if (last && last.route === undefined) {
        if (route) this.#forward(frames, first, i, route);
        this.#pause = this.#core.router.search(last.topic);
        return i;
      }
      if (last?.plain) {
        if (last.route === route) continue;
        if (route) this.#forward(frames, first, i, route);
        route = last.route;
        first = i;
        continue;
      }
      if (route) this.#forward(frames, first, i, route);
      route = undefined;
      lastHeader = undefined;
      if (last) this.#publish(frames, i, last);
      else performOperation(this, this.#core, header);
      const waits = this.#pause ?? this.#login;
      if (waits || this.#ending || this.outbox.repliesWait) return i + 1;
    }
    if (route) this.#forward(frames, first, frames.length, route);
    return frames.length;
  }

  #forward(frames: readonly Frame[], first: number, last: number, route: Route): number {
    this.#published += last - first;
    this.#pace ??= new Pace();
    return this.#core.forward(this.#connection.input.memory, frames, first, last, route);
  }

  /** A publication that asks for more than to be forwarded. */
  #publish(frames: readonly Frame[], index: number, publication: Publication): void {
    const frame = frames[index]!;
    const { id, retain } = frame.header;
    if (id !== undefined && !isId(id)) return this.refuse(BAD_ID);
    const { refusal, topic, route } = publication;
    if (refusal) return this.refuse(refusal, id);
    if (publication.system) return answerSystemTopic(this, this.#core, frame, id);
    if (retain === true) {
      const kept = this.#core.retain(topic, frame);
      if (!kept) return this.refuse(retainedFull(topic), id);
    }
    const receivers = this.#forward(frames, index, index + 1, route!);
    if (id !== undefined) this.outbox.control("ok", { id, receivers });
  }

  #broken(error: FrameError): void {
    const id = error.header?.["id"];
    const { code, message } = error;
    this.refuse({ code: code as PubSubErrorCode, message }, isId(id) ? id : undefined);
    if (!error.recoverable) this.end("broken-frame");
    this.#core.sendList.flush();
  }

  #ended(): void {
    const error = this.#decoder.end();
    if (error) this.#broken(error);
  }

  /** Where the broker ends too, there is nobody to whom they matter. */
  async #endSubscriptions(): Promise<void> {
    if (this.#bye !== "shutdown") await this.subscriptions.clear();
  }

  /** The broker needs the memory of what this client sends, or does not read. */
  #evicted(): void {
    // Whoever does not read cannot be told.
    if (this.outbox.congested) {
      this.#core.counters.overBudget++;
      this.#connection.close("over-budget");
    } else this.#endOverBudget("The broker needs the memory that this connection holds");
  }

  #endOverBudget(message: string): void {
    this.refuse({ code: "over-budget", message });
    this.end("over-budget");
  }

  async #finish(reason: ByeReason): Promise<void> {
    const { outbox } = this;
    outbox.endDeliveries();
    const cleared = this.#endSubscriptions();
    const drops = reason === "slow-consumer" || this.#revoked !== undefined;
    const missed = drops ? outbox.drop() || undefined : undefined;
    if (this.#revoked) this.refuse(this.#revoked);
    // The answer to a client's own bye is the end of the connection.
    if (reason !== "bye") outbox.control("bye", { reason, missed });
    outbox.flush();
    // A server that drains has a deadline for all; else a peer that reads nothing would stay.
    const timer = reason === "shutdown"
      ? undefined
      : setTimeout(() => this.#connection.close("forced"), CLOSING_MS);
    await Promise.all([outbox.emptied(), cleared]);
    await this.#connection.finish(CLOSE_REASONS[reason] ?? "protocol", false);
    clearTimeout(timer);
  }
}

function retainedFull(topic: string): Refusal {
  const message = `Cannot retain ${JSON.stringify(topic)}: the memory for retained frames is full`;
  return { code: "retained-full", message };
}
