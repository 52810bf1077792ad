const DEFAULT_PORT = 4_222;

/** How to reach a cluster, and as whom. */
export interface NatsServers {
  /** Each as `HOST:PORT`. */
  readonly hosts: readonly string[];
  /** Whether connections must use TLS. */
  readonly tls: boolean;
  /** What stands before the `@` of a URL: `USER:PASSWORD`, or a token. */
  readonly credentials: { user: string; pass: string } | { token: string } | undefined;
}

/**
 * Reads the URLs of a cluster's servers: `nats://HOST:PORT`, `tls://…`, or `HOST:PORT`. Credentials,
 * `USER:PASSWORD@` or `TOKEN@`, may stand in any of them and count for all; beside others, one that has
 * some needs its scheme.
 *
 * @throws {TypeError} if one cannot be used. The message has no credentials in it.
 */
export function parseNatsServers(urls: readonly string[]): NatsServers {
  const hosts: string[] = [];
  let tls = false;
  let credentials: NatsServers["credentials"];
  if (urls.length > 1 && urls.some(isRestOfPassword)) {
    const message =
      "Cannot read the NATS servers: before one with credentials nats:// is missing; " +
      "a comma in a password is written %2C";
    throw new TypeError(message);
  }
  for (const text of urls) {
    const { scheme, url, port } = readUrl(text.trim());
    tls ||= scheme === "tls";
    hosts.push(`${url.hostname}:${port}`);
    if (url.username === "") continue;
    const user = decodeURIComponent(url.username);
    const pass = decodeURIComponent(url.password);
    credentials = pass === "" ? { token: user } : { user, pass };
  }
  if (hosts.length === 0) throw new TypeError("Give at least one server of the NATS cluster");
  return { hosts, tls, credentials };
}

/** A list is split at its commas. If one is in a password, what is before it is no host to be shown. */
function isRestOfPassword(text: string): boolean {
  return text.includes("@") && !text.includes("://");
}

function readUrl(text: string): { scheme: string; url: URL; port: number } {
  const whole = text.includes("://") ? text : `nats://${text}`;
  const [, scheme = "", rest = ""] = /^([^:]*):\/\/(.*)$/s.exec(whole) ?? [];
  // What stands before the last @ is a secret, and what follows the port may be one.
  const host = rest.slice(rest.lastIndexOf("@") + 1).replace(/[/?#].*$/s, "");
  const shown = JSON.stringify(`${scheme}://${host}`);
  const refuse = (problem: string) =>
    new TypeError(`Cannot use ${shown} as a NATS server: ${problem}; write nats://HOST:PORT`);
  if (scheme !== "nats" && scheme !== "tls") throw refuse("its scheme is neither nats nor tls");
  let url: URL;
  try {
    // With a scheme that it knows, `URL` checks the host.
    url = new URL(`http://${rest}`);
    decodeURIComponent(url.username + url.password);
  } catch {
    throw refuse("it is no URL");
  }
  if (!/^\/?$/.test(url.pathname) || url.search || url.hash) {
    throw refuse("nothing follows the port");
  }
  // `URL` leaves out the port that belongs to its scheme.
  const port = Number(/:(\d+)\/?$/.exec(rest)?.[1] ?? DEFAULT_PORT);
  if (port === 0) throw refuse("no server has port 0");
  return { scheme, url, port };
}
