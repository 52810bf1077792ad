/** A server under attack. */
import type { ClientTls } from "../../../lib/net/mod.ts";
import type { ServerProgram } from "../../support/programs.ts";
import { CA, TLS_FILES } from "../../support/tls.ts";
import type { Attack, Ingredients } from "./attack.ts";
import type { Judge } from "./judge.ts";

/** The largest content that the servers under attack take. */
export const MAX_CONTENT_BYTES = 65_536;

/** How long the servers under attack wait for the rest of a frame. */
export const FRAME_TIMEOUT_MS = 20_000;

/** A server that runs as a process, with a client that does nothing wrong. */
export interface Target extends AsyncDisposable {
  readonly name: string;
  readonly server: ServerProgram;
  /** How to connect to it. */
  readonly tls: ClientTls | undefined;
  readonly ingredients: Ingredients;
  /** Lets the client ask something; fails if the answer is not the right one. */
  askNeighbour(): Promise<void>;
  /** Judges what comes back to a connection. */
  judge(attack: Attack): Judge;
}

/** How a server is served, over TLS or not: its flags, and how to connect to it. */
export interface Transport {
  readonly flags: readonly string[];
  readonly tls: ClientTls | undefined;
}

/** Plain TCP. */
export const PLAIN: Transport = { flags: [], tls: undefined };

/** TLS. */
export const TLS: Transport = {
  flags: ["--tls-cert", TLS_FILES.cert, "--tls-key", TLS_FILES.key],
  tls: { caCerts: [CA] },
};
