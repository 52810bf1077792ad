import { OverBudgetError } from "../../base/budget.ts";
import type { FrameError, HeaderInit } from "../../frame/mod.ts";
import { FrameDecoder } from "../../frame/frame_decoder.ts";
import type { Connection, SharedMemory } from "../../net/mod.ts";
import { formatAddress, networkOf } from "../../net/address.ts";
import type { Account, BrokerCore } from "./broker_core.ts";
import { applyChangedRights } from "./changed_rights.ts";
import type { BrokerConnection, ConnectionSource } from "./broker_stats.ts";
import {
  type ByeReason,
  type PubSubErrorCode,
  type Refusal,
  retryAfterMs,
} from "../protocol/codes.ts";
import { Outbox } from "./delivery/outbox.ts";
import type { OutboxOwner } from "./delivery/outbox_owner.ts";
import type { LoginAttempt, Principal } from "../../access/mod.ts";
import { sayFarewell } from "./farewell.ts";
import { FrameHandler, type FrameSender } from "./frame_handler.ts";
import type { Publications } from "./routing/publications.ts";
import type { Subscription } from "./routing/subscription.ts";
import type { ConnectionStreams } from "./streams/connection_streams.ts";
import { tellConnected } from "./presence.ts";
import { LastWill } from "./last_will.ts";
import type { Will } from "./will.ts";
import { isId } from "./request_fields.ts";
import { ConnectionSubscriptions } from "./connection_subscriptions.ts";
import { MAX_HEADER_BYTES } from "./header_room.ts";
import { SignsOfLife } from "./signs_of_life.ts";

/** The share of the memory for filters that one connection's filters may take. */
const CONNECTION_SHARE = 1 / 4;

/** One client at the broker: reads what it sends, and forwards what it publishes. */
export class Session implements FrameSender, OutboxOwner, ConnectionSource {
  readonly outbox: Outbox;
  readonly subscriptions: ConnectionSubscriptions;
  name = "";
  principal: Principal | undefined;
  inbox: string | undefined;
  streams: ConnectionStreams | undefined;
  readonly signs: SignsOfLife = new SignsOfLife();
  /** Whether nothing is read from it because others have to catch up: its silence says nothing. */
  held = false;
  /** Whether it was told that the client is there. */
  announced = false;
  readonly #connection: Connection;
  readonly #core: BrokerCore;
  #onEnded: ((failure: unknown) => void) | undefined;
  /** Made when something comes. */
  #decoder: FrameDecoder | undefined;
  #account: Account | undefined;
  #handler: FrameHandler | undefined;
  /** What a request has to wait for before the next is dealt with. */
  #pause: Promise<void> | undefined;
  /** A login that is being checked; no further request is dealt with meanwhile. */
  #login: Promise<void> | undefined;
  /** Aborted when the client has left during its login. */
  #gone: AbortController | undefined;
  #bye: ByeReason | undefined;
  #ending: Promise<unknown> | undefined;
  /** Why its client may not be connected any more. */
  #revoked: Refusal | undefined;
  #will: LastWill | undefined;

  /** Serves a connection once `serve` is called. */
  constructor(connection: Connection, core: BrokerCore) {
    this.#connection = connection;
    this.#core = core;
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

  get memory(): SharedMemory {
    return this.#connection.input.memory;
  }

  get publications(): Publications | undefined {
    return this.#account?.publications;
  }

  get waits(): boolean {
    return this.#pause !== undefined || this.#login !== undefined;
  }

  get id(): number {
    return this.#connection.id;
  }

  get pendingBytes(): number {
    return this.outbox.pendingBytes;
  }

  get missed(): number {
    return this.outbox.missed;
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
      published: this.#handler?.published ?? 0,
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
    if (applied) void applied.then(this.#core.flushSoon);
  }

  waitFor(promise: Promise<void>): void {
    this.#pause = promise;
  }

  waitForLogin(login: (attempt: LoginAttempt) => Promise<void>, heldBytes = 0): void {
    const { signal } = this.#gone = new AbortController();
    this.#connection.countHeld(heldBytes);
    // Nothing else may come that would have its answer sent.
    this.#login = login({ peer: networkOf(this.#connection.remote), signal }).then(() => {
      this.#connection.countHeld(-heldBytes);
      this.#announce();
      this.#core.flushSoon();
    });
  }

  setWill(will: Will | undefined): Refusal | undefined {
    if (will === undefined && this.#will === undefined) return undefined;
    this.#will ??= new LastWill(this, this.#core);
    return this.#will.set(will);
  }

  refuse({ code, message }: Refusal, id?: number, about?: HeaderInit): void {
    this.#core.counters.errors++;
    if (code === "over-budget") this.#core.counters.overBudget++;
    this.#core.observer.refused?.(this.figures, { code, message });
    const fields = { code, message, id, ...about, "retry-after-ms": retryAfterMs(code) };
    this.outbox.control("error", fields);
  }

  /**
   * Ends the connection in order: what waits is delivered, then `bye`. For a slow consumer, and for
   * who may not be connected any more, what waits is dropped.
   */
  end(reason: ByeReason, id?: number): void {
    if (this.#ending) return;
    this.#bye = reason;
    this.#gone?.abort();
    this.outbox.endDeliveries();
    const isWanted = reason === "bye" || reason === "shutdown";
    this.streams?.stopAll(!isWanted);
    const farewell = sayFarewell(this.#connection, this.outbox, {
      reason,
      id,
      tellRevoked: this.#revoked && (() => this.refuse(this.#revoked!)),
      drainTimeoutMs: this.#core.drainTimeoutMs,
      settled: this.streams?.settled(),
    });
    this.#ending = Promise.all([farewell, this.#endSubscriptions()]);
  }

  /** Ends it because it took too long to find out who its client is. */
  endUnknown(): void {
    // Who has said so may be somebody all the same: it tries again.
    if (this.#login) this.#endOverBudget("The broker cannot check the credentials in time");
    else this.end("unauthorized");
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

  completed({ entry, group }: Subscription): void {
    this.subscriptions.remove(entry.filter, group?.name);
  }

  /** Asks for a sign of life. */
  ping(): void {
    this.signs.pinged();
    this.outbox.control("ping");
  }

  /**
   * Serves until the connection is over.
   *
   * @param onEnded Is called then, with what failed if something did.
   */
  serve(onEnded: (failure: unknown) => void): void {
    this.#onEnded = onEnded;
    this.#read();
  }

  // A connection that is idle has no async function that waits: each would take 500 bytes.
  #read(): void {
    const connection = this.#connection;
    connection.midFrame = this.#decoder?.midFrame ?? false;
    try {
      connection.readSome().then(this.#onRead, this.#onReadFailed);
    } catch (cause) {
      this.#onReadFailed(cause);
    }
  }

  readonly #onRead = (count: number | null): void => void this.#received(count);

  readonly #onReadFailed = (cause: unknown): void => {
    this.#gone?.abort();
    if (this.#ending) return void this.#close();
    const error = this.#connection.readError(cause);
    if (!(error instanceof OverBudgetError)) return void this.#close(error);
    this.#endOverBudget(error.message);
    void this.#close();
  };

  // The hot path: a read, the frames in it, each run handed to its receivers, a flush per receiver.
  async #received(count: number | null): Promise<void> {
    const connection = this.#connection;
    const { input } = connection;
    try {
      if (this.#login && !this.#ending) {
        if (count === null) this.#gone?.abort();
        await this.#loggedIn();
      }
      if (this.#ending) return void this.#close();
      if (count === null) {
        this.#ended();
        return void this.#close();
      }
      connection.received(count);
      connection.midFrame = false;
      this.checkRights();
      if (this.#ending) return void this.#close();
      this.signs.heard();
      this.#core.heard(this.id);
      const decoder = this.#decoder ??= this.#makeDecoder();
      const handler = this.#handler ??= new FrameHandler(this, this.#core);
      let error: FrameError | undefined;
      let consumed = 0;
      do {
        const batch = decoder.decode(input.bytes, input.start + consumed, input.end);
        let next = 0;
        do {
          next = handler.handle(batch.frames, next);
          if (!this.announced && !this.#login) this.#announce();
          const held = this.#core.sendList.flush(handler.pace);
          // Its answers go out, even if what others have handed to it was put off.
          if (this.outbox.filled) this.outbox.flush();
          if (held) await this.#hold(held);
          while (this.#pause) await this.#resume(handler);
          if (handler.turn) await handler.turn;
          if (handler.room) await this.#hold(handler.room);
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
    } catch (error) {
      return void this.#close(error);
    }
    if (this.#ending) void this.#close();
    else this.#read();
  }

  #makeDecoder(): FrameDecoder {
    return new FrameDecoder({
      maxContentBytes: this.#core.limits.maxContentBytes,
      maxHeaderBytes: MAX_HEADER_BYTES,
      headerCache: this.#core.headerCache,
    });
  }

  /** Ends what is left of it when nothing is read any more. */
  async #close(failure?: unknown): Promise<void> {
    // A thousand connections may end at once: this is noted at once, the work is done in turns.
    this.outbox.endDeliveries();
    this.streams?.giveUp();
    this.#connection.dropInput();
    try {
      if (failure === undefined) {
        // Who sends no more still learns what was stored.
        const settled = this.#ending ? undefined : this.streams?.settled();
        if (settled) await settled;
        if (!this.#ending) await this.#connection.finish("done", true);
        await this.#ending;
      }
    } catch (error) {
      failure = error;
    }
    const turn = this.#connection.turnToEnd();
    if (turn) await turn;
    this.outbox.close();
    this.streams?.stopAll(true);
    this.#core.inboxes.close(this.inbox);
    const isWanted = this.#bye === "bye" || this.#bye === "shutdown";
    await Promise.all([this.#will?.connectionEnded(isWanted), this.#endSubscriptions()]);
    if (this.#account) this.#core.leave(this.#account);
    this.#core.countEnded(this.outbox);
    this.#onEnded?.(failure);
  }

  async #loggedIn(): Promise<void> {
    await this.#login;
    this.#login = this.#gone = undefined;
  }

  async #hold(until: Promise<void>): Promise<void> {
    this.held = true;
    await until;
    this.held = false;
    this.signs.restart();
  }

  async #resume({ pace }: FrameHandler): Promise<void> {
    const pause = this.#pause;
    this.#pause = undefined;
    await pause;
    const held = this.#core.sendList.flushAll(pace);
    if (held) await this.#hold(held);
  }

  #broken(error: FrameError): void {
    const id = error.header?.["id"];
    const { code, message } = error;
    this.refuse({ code: code as PubSubErrorCode, message }, isId(id) ? id : undefined);
    if (!error.recoverable) this.end("broken-frame");
    this.#core.sendList.flush();
  }

  #ended(): void {
    const error = this.#decoder?.end();
    if (error) this.#broken(error);
  }

  /** Skipped when the broker itself ends: nobody needs them then. */
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

  /** Tells those who subscribe to it that the client is there, once it is known who it is. */
  #announce(): void {
    if (this.principal === undefined || this.#ending) return;
    this.announced = true;
    tellConnected(this.#core, this);
  }
}
