import type { Player } from "./player.ts";
import type { ReplayResult } from "./replay_options.ts";

/** Adds up what comes of a replay. */
export class ReplayTally {
  connections = 0;
  sentBytes = 0;
  differences = 0;
  /** Players of connections on which something did not come in time. */
  readonly late = new Set<Player>();
  #receivedFrames = 0;
  #receivedBytes = 0;
  #failed = 0;
  #failure: unknown;

  /** Closes a player's connection, and counts what came over it. */
  async close(player: Player): Promise<void> {
    if (!player.isUpToDate) this.late.add(player);
    await player.close();
    this.#receivedFrames += player.receivedFrames;
    this.#receivedBytes += player.receivedBytes;
    if (player.failure === undefined) return;
    this.#failed++;
    this.#failure ??= player.failure;
  }

  /** What came of it so far. */
  result(): ReplayResult {
    return {
      connections: this.connections,
      sentBytes: this.sentBytes,
      receivedFrames: this.#receivedFrames,
      receivedBytes: this.#receivedBytes,
      late: this.late.size,
      failed: this.#failed,
      failure: this.#failure,
      differences: this.differences,
    };
  }
}
