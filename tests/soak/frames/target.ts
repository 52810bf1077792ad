/** A server under attack. */
import type { Frame } from "../../../lib/frame/mod.ts";
import type { ServerProgram } from "../../support/programs.ts";
import type { Ingredients } from "./attack.ts";

/** The largest content that the servers under attack take. */
export const MAX_CONTENT_BYTES = 65_536;

/** A server that runs as a process, with a client that does nothing wrong. */
export interface Target extends AsyncDisposable {
  readonly name: string;
  readonly server: ServerProgram;
  readonly ingredients: Ingredients;
  /** Lets the client ask something; fails if the answer is not the right one. */
  askNeighbour(): Promise<void>;
  /** Whether a frame answers one that was sent, and is not a delivery or the like. */
  isAnswer(frame: Frame): boolean;
  /** Whether a frame says that the server ends the connection though nothing was wrong with it. */
  isFarewell(frame: Frame): boolean;
  /** Whether a frame tells of a mistake of the server's own. */
  isOwnFault(frame: Frame): boolean;
}
