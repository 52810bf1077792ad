/** What the search app shows over HTTP: its page, its live page, and its actions for scripts. */
import type { IndexSummary } from "../../lib/search/mod.ts";
import type { Server } from "../../lib/net/mod.ts";
import type { RequestHandler } from "../../lib/request/mod.ts";
import type { Route, WebRequest } from "../../lib/web/mod.ts";
import { liveRoutes } from "../_web/live_routes.ts";
import { SEARCH_PAGE } from "./search_page.ts";
import { SearchRoutes } from "./search_routes.ts";

/** How far the data are indexed. */
interface Indexing {
  readonly isRunning: boolean;
  /** From 0 to 1, while it runs. */
  readonly progress?: number | undefined;
  /** The file that is read. */
  readonly path?: string | undefined;
  /** When it was last done, in milliseconds since 1970. */
  readonly finishedAt?: number | undefined;
  /** What was done then. */
  readonly summary?: IndexSummary | undefined;
}

/** All routes of a search server. They are there before it serves, and say that it is not ready. */
export class SearchPages {
  readonly #actions = new SearchRoutes();
  readonly routes: readonly Route[] = [
    ...SEARCH_PAGE,
    ...this.#actions.routes,
    ...liveRoutes("app-server", (request) => this.#figures(request)),
  ];
  readonly principalOf = this.#actions.principalOf;
  #server: Server | undefined;
  #indexing: Indexing = { isRunning: false };

  /** Notes how far the data are read. */
  progressed(progress: number, path: string): void {
    this.#actions.starting = `The data are being indexed: ${Math.floor(progress * 100)} %`;
    this.#indexing = { ...this.#indexing, isRunning: true, progress, path };
  }

  /** Notes that all data are read. */
  indexed(summary: IndexSummary): void {
    this.#indexing = { isRunning: false, finishedAt: Date.now(), summary };
  }

  /** From here on requests are answered. */
  serve(server: Server, handler: RequestHandler): void {
    this.#server = server;
    this.#actions.serve(handler);
  }

  async #figures(request: WebRequest): Promise<Readonly<Record<string, unknown>>> {
    const reply = await this.#actions.ask(request, { action: "stats" });
    const { summary, ...indexing } = this.#indexing;
    return {
      connections: this.#server!.connections.size,
      search: reply.json<{ readonly stats: unknown }>().stats,
      indexing: { ...indexing, ...summary },
    };
  }
}
