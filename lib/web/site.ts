import type { IncomingHttpHeaders } from "node:http";
import { WebError } from "./reply.ts";

/** Which names and which pages of elsewhere may be used. */
export interface SiteOptions {
  /**
   * Host names under which the server may be asked, besides the address that the client has connected
   * to and `localhost`. Any other is refused (421): else a page of elsewhere, whose name its owner
   * lets point here, could read what is served (DNS rebinding).
   */
  readonly hosts?: readonly string[] | undefined;
  /** Origins of pages, as `https://example.com`, that may ask and read replies besides its own. */
  readonly allowOrigins?: readonly string[] | undefined;
}

/** Checks who is asked for (`Host`), and by pages of whom (`Origin`). */
export class Site {
  readonly #hosts: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string>;
  /** How an operator permits another name or origin, where that is to be had. */
  readonly #hints: { readonly host: string; readonly origin: string };

  /** @throws {TypeError} if a host is no name, or an origin none. */
  constructor({ hosts, allowOrigins }: SiteOptions) {
    this.#hints = {
      host: hosts ? "; its operator may permit that with --http-host" : "",
      origin: allowOrigins ? "; the operator may permit one with --allow-origin" : "",
    };
    this.#hosts = new Set(
      (hosts ?? []).map((host) => checked(host, hostnameOf(host), "a host name")),
    );
    this.#origins = new Set(
      (allowOrigins ?? []).map((origin) =>
        checked(origin, originOf(origin), "an origin, as http://HOST:PORT")
      ),
    );
  }

  /**
   * Checks the header `Host`, which there must be once, and the host of the request's URL.
   *
   * @param local The address that the client has connected to; `undefined` for a Unix socket.
   * @param asked The host in the URL, which counts instead of the header (RFC 9112, 3.2.2);
   * `undefined` where the URL is a path.
   * @returns It, with the port.
   * @throws {WebError} 400, or 421 if it is not one of this server.
   */
  host(
    rawHeaders: readonly string[],
    local: string | undefined,
    asked: string | undefined,
  ): string {
    const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && isHost(rawHeaders[i - 1]!));
    const host = asked ?? hosts[0];
    const name = hosts.length === 1 ? hostnameOf(host!) : undefined;
    if (name === undefined) {
      throw new WebError(400, "bad-host", "There must be one header Host, with a host name");
    }
    const own = local === undefined ? undefined : hostnameOf(bracketed(local));
    if (name === "localhost" || name === own || this.#hosts.has(name)) return host!.toLowerCase();
    throw new WebError(
      421,
      "wrong-host",
      `This server is not asked as ${name}${this.#hints.host}`,
    );
  }

  /**
   * What a reply has to say so that the page that asks may read it: nothing for its own pages and for
   * programs.
   *
   * @returns `undefined` if pages of that origin may not ask.
   */
  origin(
    { origin }: IncomingHttpHeaders,
    host: string,
  ): Readonly<Record<string, string>> | undefined {
    if (origin === undefined) return {};
    const known = originOf(origin);
    if (known !== undefined && new URL(known).host === hostOf(host, known)) return {};
    if (known === undefined || !this.#origins.has(known)) return undefined;
    return {
      "access-control-allow-origin": origin,
      "cross-origin-resource-policy": "cross-origin",
      "vary": "origin",
    };
  }

  /** What a page is told whose origin may not ask. */
  refusal(): WebError {
    return new WebError(
      403,
      "wrong-origin",
      `Pages of other origins may not ask here${this.#hints.origin}`,
    );
  }
}

const isHost = (name: string) => name.toLowerCase() === "host";

/** The host of the header `Host` as a URL of the origin's scheme has it: without a default port. */
function hostOf(host: string, origin: string): string {
  return new URL(`${origin.slice(0, origin.indexOf("//"))}//${host}`).host;
}

/**
 * The name in `HOST` or `HOST:PORT`, as URLs have it, without the dot that a whole name may end with;
 * `undefined` if it is none.
 */
function hostnameOf(host: string): string | undefined {
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{0,5})?$/i.test(host)) return undefined;
  const url = `http://${host}`;
  if (!URL.canParse(url)) return undefined;
  const hostname = new URL(url).hostname.replace(/\.$/, "");
  // What a socket for both versions of IP calls an IPv4 address.
  const mapped = /^\[::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (!mapped) return hostname;
  const [high, low] = [parseInt(mapped[1]!, 16), parseInt(mapped[2]!, 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** An origin as URLs have it; `undefined` for `null` and for what is none. */
function originOf(origin: string): string | undefined {
  if (!/^https?:\/\/[^/?#@\s]+$/i.test(origin) || !URL.canParse(origin)) return undefined;
  return new URL(origin).origin;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host.replace(/%.*$/, "")}]` : host;
}

function checked(given: string, read: string | undefined, what: string): string {
  if (read !== undefined) return read;
  throw new TypeError(`Cannot use ${JSON.stringify(given)} as ${what}`);
}
