import { jsonReply } from "./reply.ts";
import type { Route } from "./route.ts";

/** How a server is. */
export interface Health {
  /**
   * - `ok`: it serves;
   * - `starting`: it lives, but is not ready to serve, as while it indexes;
   * - `degraded`: it serves, but not all that it is for, as while other servers cannot be reached;
   * - `draining`: it accepts nobody more, and ends;
   * - `failed`: it can no longer do all that it is for, as when its disk has failed.
   */
  readonly status: "ok" | "starting" | "degraded" | "draining" | "failed";
  /** Why, or how far it is, in words. */
  readonly detail: string | undefined;
  /** How much of the start is done, from 0 to 1. */
  readonly progress: number | undefined;
}

/**
 * Routes that tell machines how a server is, in JSON. `/healthz` is 200 while there is no reason to
 * start it again or to send clients elsewhere: 503 while it drains or has failed. `/readyz` is 200
 * only where clients get all that the server is for. Both are public.
 */
export function healthRoutes(health: () => Health): Route[] {
  const route = (path: string, good: readonly Health["status"][]): Route => ({
    method: "GET",
    path,
    isPublic: true,
    handle() {
      const now = health();
      return jsonReply(now, good.includes(now.status) ? 200 : 503);
    },
  });
  return [route("/healthz", ["ok", "starting", "degraded"]), route("/readyz", ["ok"])];
}
