import type { StreamTurns } from "../net/conn_stream.ts";
import type { Turns } from "../net/turns.ts";
import type { HttpConnection } from "./http_connection.ts";

/**
 * The turns in which a web server works for its clients: first for those that want little, then for
 * those that have not shown what they come for, last for those that flood.
 */
export class HttpTurns {
  readonly #turns: Turns;

  /** @param turns Those of the server. */
  constructor(turns: Turns) {
    this.#turns = turns;
  }

  /** For the stream of a connection. @param connection Is called when something was read. */
  ofStream(connection: () => HttpConnection): StreamTurns {
    return {
      takeIfBusy: (isLittle) => {
        const { isUnproven, network } = connection();
        if (isUnproven) return this.#turns.takeToBegin(network);
        return this.#take(isLittle, network);
      },
      takeToEnd: () => this.#turns.takeToEnd(),
    };
  }

  /** Before a request is answered. */
  ofRequest({ isPipelined, network }: HttpConnection): Promise<void> | undefined {
    return this.#take(!isPipelined, network);
  }

  #take(isLittle: boolean, network: string): Promise<void> | undefined {
    return isLittle ? this.#turns.takeForLittle(network) : this.#turns.takeIfBusy();
  }
}
