/**
 * Makes Deno refuse what it refuses on Windows, and say that it runs there, as far as that can be
 * done elsewhere: `deno test --preload tests/support/as_windows.ts`. Paths stay as they are here.
 *
 * - There are no Unix sockets, no `reusePort`, no users and no permissions of files.
 * - Of signals, SIGTERM and others that Windows has none of cannot be listened for.
 */
const SIGNALS: ReadonlySet<string> = new Set(["SIGINT", "SIGBREAK", "SIGHUP", "SIGQUIT"]);

const { addSignalListener, removeSignalListener, listen, connect } = Deno;

/** Stands for a function of Deno's. */
function replace<Name extends keyof typeof Deno>(name: Name, value: (typeof Deno)[Name]): void {
  Object.defineProperty(Deno, name, { value, configurable: true, writable: true });
}

function refuseUnix(options: object): void {
  if ((options as { transport?: unknown }).transport === "unix") {
    throw new TypeError("Unix sockets are not supported on Windows");
  }
}

replace("build", { ...Deno.build, os: "windows" });
replace("addSignalListener", (signal, handler) => {
  if (!SIGNALS.has(signal)) throw new TypeError(`${signal} cannot be listened for on Windows`);
  // This system has no Ctrl-Break.
  if (signal !== "SIGBREAK") addSignalListener(signal, handler);
});
replace("removeSignalListener", (signal, handler) => {
  if (signal !== "SIGBREAK") removeSignalListener(signal, handler);
});
replace(
  "listen",
  ((options: Deno.TcpListenOptions) => {
    refuseUnix(options);
    return listen({ ...options, reusePort: false });
  }) as typeof Deno.listen,
);
replace(
  "connect",
  ((options: Deno.ConnectOptions) => {
    refuseUnix(options);
    return connect(options);
  }) as typeof Deno.connect,
);
replace("chmod", () => Promise.resolve());
replace("chmodSync", () => {});
replace("uid", () => null);
replace("gid", () => null);
