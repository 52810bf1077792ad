import config from "../../deno.json" with { type: "json" };
import { resolveServerTls } from "../../lib/net/handshake_limits.ts";
import {
  type Address,
  formatAddress,
  joinListeners,
  type Listener,
  type ServerTls,
} from "../../lib/net/mod.ts";
import {
  type Health,
  healthRoutes,
  type Metric,
  Metrics,
  type ProcessMetrics,
  processMetrics,
  type Route,
  serveWeb,
  TimeHistogram,
  type WebServer,
} from "../../lib/web/mod.ts";
import {
  type Context,
  describeError,
  logAcceptFailures,
  lowerFirst,
  UsageError,
} from "../_cli/mod.ts";
import type { HttpFlagValues, HttpSurroundings } from "./http_flag_values.ts";

/** The part of the server's TLS handshakes that may be under way here besides: each takes a descriptor. */
const HANDSHAKE_SHARE = 1 / 4;

/** The HTTP side of a server: its pages, figures and health, on an address of its own. */
export class HttpSide implements AsyncDisposable {
  readonly #web: WebServer;
  readonly #start: { isOver: boolean };
  /** How far the start is, while it starts. */
  starting: Pick<Health, "detail" | "progress"> = { detail: undefined, progress: undefined };
  readonly #health: () => Health;
  readonly #metrics = new Metrics();
  readonly #process: ProcessMetrics;

  private constructor(
    web: WebServer,
    { failure, lack, may }: HttpSurroundings,
    requests: TimeHistogram,
    start: { isOver: boolean },
    { signal }: Pick<Context, "signal">,
  ) {
    this.#web = web;
    this.#start = start;
    this.#health = () => {
      const detail = failure?.();
      const none = { detail: undefined, progress: undefined };
      if (detail !== undefined) return { ...none, status: "failed", detail };
      if (signal.aborted) return { ...none, status: "draining" };
      if (!start.isOver) return { status: "starting", ...this.starting };
      const lacking = lack?.();
      return lacking === undefined
        ? { ...none, status: "ok" }
        : { ...none, status: "degraded", detail: lacking };
    };
    web.add([...healthRoutes(() => this.#health()), this.#metrics.route({ may })]);
    this.#process = processMetrics(config.version);
    this.#metrics.add([
      ...this.#process.metrics,
      requests,
      {
        name: "socktool_http_connections",
        help: "Open HTTP connections, without WebSockets",
        type: "gauge",
        values: () => web.connections,
      },
      {
        name: "socktool_http_connections_displaced_total",
        help: "HTTP connections closed because there were too many",
        type: "counter",
        values: () => web.displaced,
      },
    ]);
  }

  /** Listens, and says where. Called by `openHttp`. */
  static async open(
    flags: HttpFlagValues & { readonly http: Address },
    surroundings: HttpSurroundings,
    context: Context,
  ): Promise<HttpSide> {
    const { log } = context;
    const requests = new TimeHistogram(
      "socktool_http_request_duration_seconds",
      "How long HTTP requests take until their reply was taken",
    );
    const start = { isOver: false };
    let web: WebServer;
    try {
      web = await serveWeb(flags.http, {
        isStarting: () => !start.isOver,
        tls: surroundings.tls && shareOf(surroundings.tls),
        authenticator: surroundings.authenticator,
        hosts: flags["http-host"],
        allowOrigins: flags["allow-origin"],
        observer: {
          acceptFailed: logAcceptFailures(log),
          answered({ method, path, status, remote, durationMs }) {
            requests.observe(durationMs);
            log.detail(`${method} ${path} from ${formatAddress(remote)}: ${status}`);
          },
          refused(remote, status) {
            log.detail(`a request from ${formatAddress(remote)} was refused: ${status}`);
          },
          failed: (path, error) => log.error(`answering ${path} failed: ${describeError(error)}`),
        },
      });
    } catch (error) {
      if (error instanceof TypeError) {
        throw new UsageError(lowerFirst(error.message));
      }
      throw error;
    }
    const side = new HttpSide(web, surroundings, requests, start, context);
    const url = urlOf(web);
    if (flags.json) context.out.json({ type: "pages", url });
    else log.info(`pages on ${url}`);
    return side;
  }

  /** Adds the WebSockets that come to `/ws` to the connections of a listener. */
  join(listener: Listener): Listener {
    return joinListeners(listener, this.#web.webSockets);
  }

  /** Adds figures to `/metrics`, and looks them up by `prepare`. */
  measure(
    metrics: readonly (Metric | TimeHistogram)[],
    prepare?: () => Promise<void> | void,
  ): void {
    this.#metrics.add(metrics, prepare);
  }

  /** Adds a histogram of times to `/metrics`. @param name Without `socktool_` and `_seconds`. */
  histogram(name: string, help: string): TimeHistogram {
    const histogram = new TimeHistogram(`socktool_${name}_seconds`, help);
    this.#metrics.add([histogram]);
    return histogram;
  }

  /** Answers further routes. */
  add(routes: Iterable<Route>): void {
    this.#web.add(routes);
  }

  /** Called when the server serves. */
  ready(): void {
    this.#start.isOver = true;
  }

  /** Uses another certificate for clients to come. */
  async renewTls(tls: ServerTls): Promise<void> {
    await this.#web.renewTls(shareOf(tls));
  }

  /** Ends it: replies that are under way are sent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#process[Symbol.dispose]();
    await this.#web.drain();
  }
}

/** Where a browser finds it; a Unix socket has no such URL. */
function urlOf({ address, secure }: WebServer): string {
  const text = formatAddress(address);
  return address.transport === "tcp" ? `http${secure ? "s" : ""}://${text}/` : text;
}

/** The certificate, with fewer handshakes than the server's own address has. */
function shareOf(tls: ServerTls): ServerTls {
  return {
    ...tls,
    maxHandshakes: Math.ceil(resolveServerTls(tls).maxHandshakes * HANDSHAKE_SHARE),
  };
}
