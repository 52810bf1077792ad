import type { AppendOrder, StoreOrder, StoreReport } from "./orders.ts";
import type { Tables } from "./tables.ts";

/** Ids that are read in one go, which takes about 1 ms; a query counts for as many as the second. */
const STEP_IDS = 2_000;
const STATEMENT_IDS = 10;

/** Publications that wait, and the number by which they are answered. */
interface Held {
  readonly number: number;
  readonly order: AppendOrder;
}

/** What a commit is to do: orders that have waited, then those that need not wait. */
export interface DueOrders {
  readonly orders: readonly StoreOrder[];
  /** Turns the report on these orders into one on the orders that were given. */
  readonly answered: <Report extends StoreReport>(report: Report) => Report;
}

/**
 * Publications that wait until the message ids that their stream had before the start are read. Half a
 * million ids take a second. A publication with an id waits for that, and so does all that comes to its
 * stream behind it; nothing else does.
 */
export class HeldAppends {
  readonly #tables: Tables;
  readonly #streams = new Map<string, Held[]>();
  /** Below those of other orders that are answered later. */
  #lastNumber = 0;

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** Whether ids are being read. */
  get hasWork(): boolean {
    return this.#streams.size > 0;
  }

  /** Reads some of the ids that are waited for, and says which orders can be done now. */
  due(orders: readonly StoreOrder[]): DueOrders {
    const { byName, appender: { messageIds } } = this.#tables;
    const isLoaded = (name: string): boolean => {
      const stream = byName.get(name);
      return stream === undefined || messageIds.isLoaded(stream);
    };
    let left = STEP_IDS;
    const load = (name: string): boolean => {
      const stream = byName.get(name);
      if (stream && left > 0) left -= STATEMENT_IDS + messageIds.load(stream, left);
      return isLoaded(name);
    };
    const released: Held[] = [];
    for (const [stream, held] of this.#streams) {
      if (!load(stream)) break;
      this.#streams.delete(stream);
      released.push(...held);
    }
    const waits = (order: StoreOrder): order is AppendOrder => {
      if (order.kind !== "append") return false;
      if (this.#streams.has(order.stream)) return true;
      const { stream, publications } = order;
      return !isLoaded(stream) && publications.messageIds.some((id) => id !== "") && !load(stream);
    };
    if (released.length === 0 && !orders.some(waits)) {
      return { orders, answered: (report) => report };
    }
    const laters = orders.map((order) => waits(order) ? this.#hold(order) : undefined);
    const rest = orders.filter((_, i) => laters[i] === undefined);
    return {
      orders: [...released.map(({ order }) => order), ...rest],
      answered: (report) => {
        const { results } = report;
        const late = released.map(({ number }, i) => ({ number, result: results[i]! }));
        const own = results.slice(released.length).values();
        return {
          ...report,
          results: laters.map((later) => later === undefined ? own.next().value! : { later }),
          late: [...late, ...report.late],
        };
      },
    };
  }

  #hold(order: AppendOrder): number {
    const number = --this.#lastNumber;
    // Their memory is used again once the commit is told of.
    const held = { number, order: { ...order, frames: order.frames.slice() } };
    const before = this.#streams.get(order.stream);
    if (before) before.push(held);
    else this.#streams.set(order.stream, [held]);
    return number;
  }
}
