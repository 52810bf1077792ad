import type { EchoFigures, EchoObserver, EchoPeer } from "../../lib/echo/mod.ts";
import { formatAddress } from "../../lib/net/address.ts";
import type { CloseReason } from "../../lib/net/mod.ts";
import {
  type Context,
  describeError,
  formatBytes,
  formatCount,
  formatDuration,
  jsonEvents,
  jsonSeconds,
  logAcceptFailures,
} from "../_cli/mod.ts";
import { jsonBytes, quotedBytes } from "./shown_bytes.ts";

/** What to print about a server's connections. */
export interface ConnectionLinesOptions {
  readonly json: boolean;
  /** Whether to print a line when a connection opens or closes. */
  readonly peers: boolean;
  /** Whether to print the data. */
  readonly data: boolean;
}

/** An observer that prints what happens, in the words of the tutorial or as JSON. */
export function connectionLines(
  { out, log, say }: Context,
  { json, peers, data }: ConnectionLinesOptions,
): EchoObserver {
  const events = jsonEvents(out);
  const observer: EchoObserver = {
    acceptFailed: logAcceptFailures(log),
  };
  if (peers) {
    observer.opened = (peer) => {
      const { id, remote } = peer;
      if (json) events.print({ type: "accepted", id, remote: formatAddress(remote) });
      else say(`accepted connection from ${formatAddress(remote)}`, { connection: id });
    };
    observer.closed = (peer, reason, error) => {
      if (json) events.print(closedObject(peer, reason, error));
      else say(closedLine(peer, reason, error), { connection: peer.id });
    };
  }
  if (data) {
    observer.received = ({ id, remote }, bytes) => {
      if (json) {
        events.print({ type: "data", id, remote: formatAddress(remote), ...jsonBytes(bytes) });
      } else say(`echoing ${quotedBytes(bytes)} to ${formatAddress(remote)}`, { connection: id });
    };
  }
  return observer;
}

/** A line of figures, with the rates since `before`. */
export function figuresLine(
  figures: EchoFigures,
  before: EchoFigures,
  elapsedMs: number,
): string {
  const perSecond = (now: number, then: number) =>
    `${formatBytes(Math.round((now - then) / elapsedMs * 1_000))}/s`;
  const { connections, accepted, refused, readBytes, writtenBytes } = figures;
  return `${formatCount(connections, "connection")} open, ${accepted} accepted` +
    `${refused > 0 ? `, ${refused} refused` : ""}; ` +
    `${perSecond(readBytes, before.readBytes)} in, ` +
    `${perSecond(writtenBytes, before.writtenBytes)} out`;
}

function closedObject(peer: EchoPeer, reason: CloseReason, error: unknown): object {
  return {
    type: "closed",
    id: peer.id,
    remote: formatAddress(peer.remote),
    reason,
    bytes_in: peer.readBytes,
    bytes_out: peer.writtenBytes,
    duration_s: jsonSeconds(performance.now() - peer.openedAt),
    ...(error === undefined ? {} : { error: describeError(error) }),
  };
}

function closedLine(peer: EchoPeer, reason: CloseReason, error: unknown): string {
  const { remote, readBytes, writtenBytes, openedAt } = peer;
  const duration = formatDuration(performance.now() - openedAt);
  const why = error !== undefined && reason === "failed" ? describeError(error) : WHY[reason];
  return `closing connection to ${formatAddress(remote)}: ${formatBytes(readBytes)} in, ` +
    `${formatBytes(writtenBytes)} out, ${duration}${why === undefined ? "" : ` (${why})`}`;
}

const WHY: Partial<Record<CloseReason, string>> = {
  reset: "the peer broke it off",
  idle: "idle for too long",
  refused: "refused: too many connections",
  drained: "the server ends",
  forced: "the server ends, out of time",
};
