import type { HeaderInit } from "../../frame/mod.ts";
import type { ByeReason, Refusal } from "../protocol/codes.ts";
import type { LoginAttempt, Principal } from "../../access/mod.ts";
import type { ConnectionSubscriptions } from "./connection_subscriptions.ts";
import type { Outbox } from "./delivery/outbox.ts";
import type { ConnectionStreams } from "./streams/connection_streams.ts";
import type { Will } from "./will.ts";

/** The connection that sent a request, as the code sees it that carries the request out. */
export interface Requester {
  /** Names the connection for as long as the broker runs. */
  readonly id: number;
  /** What goes out to it. */
  readonly outbox: Outbox;
  /** What it subscribes to. */
  readonly subscriptions: ConnectionSubscriptions;
  /** Who the client is; `undefined` until it has said so, where it must. */
  readonly principal: Principal | undefined;
  /** Whether the connection is ending: nothing more is to be done for it. */
  readonly ending: boolean;
  /** What the client calls itself. */
  name: string;
  /** The token of its inbox, once it has said hello: it alone may subscribe below it. */
  inbox: string | undefined;
  /** What it reads of streams, and which commits it waits for; made by `streamsOf`. */
  streams: ConnectionStreams | undefined;
  /** Makes it a connection of a principal. */
  identify(principal: Principal): void;
  /** Carries out no further request until the promise resolves. The promise must not reject. */
  waitFor(promise: Promise<void>): void;
  /**
   * As {@linkcode Requester.waitFor}, for a login: the end of the connection is noticed meanwhile,
   * and aborts the attempt.
   *
   * @param heldBytes What has to be kept until then.
   */
  waitForLogin(login: (attempt: LoginAttempt) => Promise<void>, heldBytes?: number): void;
  /**
   * Sets what is to be published when the connection is lost, instead of what was set before.
   *
   * @returns Why it is refused, if it is; then nothing has changed.
   */
  setWill(will: Will | undefined): Refusal | undefined;
  /**
   * Tells the client that a request is refused.
   *
   * @param about Further fields that say what is refused.
   */
  refuse(refusal: Refusal, id?: number, about?: HeaderInit): void;
  /**
   * Ends the connection in order.
   *
   * @param id That of the client's `bye` which this answers.
   */
  end(reason: ByeReason, id?: number): void;
  /** Ends the connection of a client that may not be connected any more, and tells it why. */
  revoke(refusal: Refusal): void;
}
