import type { Route } from "./route.ts";
import type { Forgetful, SpeedMemory } from "./speed_memory.ts";

/** Topics whose routes are kept. */
const MAX_ROUTES = 16_384;

/** What an entry takes beside its key and the route, in bytes. */
const ENTRY_BYTES = 150;

/** The routes that a {@linkcode Router} has found, for as long as they are right. */
export class RouteCache implements Forgetful {
  readonly #memory: SpeedMemory;
  readonly #byTopic = new Map<string, Route>();
  /** By the filters that match, so that topics with equal receivers share a route. */
  readonly #byFilters = new Map<string, Route>();
  /** How many entries share each route: its memory counts once. */
  readonly #entries = new Map<Route, number>();
  #bytes = 0;

  /** Takes what it keeps from `memory`. */
  constructor(memory: SpeedMemory) {
    this.#memory = memory;
    memory.add(this);
  }

  /** The route of a topic, if it is known. */
  ofTopic(topic: string): Route | undefined {
    return this.#byTopic.get(topic);
  }

  /** The route of topics that just these filters match, if it is known. */
  ofFilters(key: string): Route | undefined {
    return this.#byFilters.get(key);
  }

  /**
   * Keeps the route of a topic.
   *
   * @param must Whether to keep it in any case: it was hard to find, and is needed in a moment.
   */
  setTopic(topic: string, route: Route, must = false): void {
    this.deleteTopic(topic);
    this.#set(this.#byTopic, topic, route, must);
  }

  /** Keeps the route of topics that just these filters match. */
  setFilters(key: string, route: Route): void {
    this.#set(this.#byFilters, key, route, false);
  }

  /** Forgets the route of a topic. */
  deleteTopic(topic: string): void {
    const route = this.#byTopic.get(topic);
    if (route === undefined) return;
    this.#byTopic.delete(topic);
    this.#release(topic, route);
  }

  /** Forgets which filters have which route. */
  forgetFilters(): void {
    for (const [key, route] of this.#byFilters) this.#release(key, route);
    this.#byFilters.clear();
  }

  forget(): void {
    this.#byTopic.clear();
    this.#byFilters.clear();
    this.#entries.clear();
    this.#memory.give(this.#bytes);
    this.#bytes = 0;
  }

  #set(map: Map<string, Route>, key: string, route: Route, must: boolean): void {
    if (map.size >= MAX_ROUTES) this.forget();
    const bytes = costOf(key) + (this.#entries.has(route) ? 0 : route.bytes);
    if (must) this.#memory.take(bytes);
    else if (!this.#memory.tryTake(bytes)) return;
    // All may have been forgotten just now, the route's other entries too.
    const entries = this.#entries.get(route) ?? 0;
    const missing = costOf(key) + (entries > 0 ? 0 : route.bytes) - bytes;
    if (missing > 0) this.#memory.take(missing);
    map.set(key, route);
    this.#entries.set(route, entries + 1);
    this.#bytes += bytes + missing;
  }

  #release(key: string, route: Route): void {
    const entries = this.#entries.get(route)! - 1;
    const bytes = costOf(key) + (entries > 0 ? 0 : route.bytes);
    if (entries > 0) this.#entries.set(route, entries);
    else this.#entries.delete(route);
    this.#memory.give(bytes);
    this.#bytes -= bytes;
  }
}

function costOf(key: string): number {
  return ENTRY_BYTES + 2 * key.length;
}
