/** stdout as the runner needs it; `Deno.stdout` is one. */
export interface Sink {
  /** May take fewer bytes than it is given. */
  write(bytes: Uint8Array): Promise<number>;
  isTerminal(): boolean;
}

/** stderr as the runner needs it; `Deno.stderr` is one. */
export interface SyncSink {
  /** May take fewer bytes than it is given. */
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** What ends the input on a terminal. */
export const END_OF_INPUT: string = Deno.build.os === "windows" ? "Ctrl-Z Enter" : "Ctrl-D";

/** The process around a command. Tests put their own in its place. */
export interface Host {
  readonly args: readonly string[];
  readonly stdout: Sink;
  readonly stderr: SyncSink;
  /** What comes in; always the same stream. */
  stdin(): ReadableStream<Uint8Array>;
  readonly stdinIsTerminal: boolean;
  /** Whether stdin, stdout or stderr is a terminal. */
  readonly hasTerminal: boolean;
  /** Whether NO_COLOR is set. */
  readonly noColor: boolean;
  /** The terminal's width, `undefined` where there is none. */
  columns(): number | undefined;
  env(name: string): string | undefined;
  /** Listens for requests to end (SIGINT and the like); returns the function that stops it. */
  onInterrupt(listener: (signal: string) => void): () => void;
  /**
   * Listens for SIGHUP, which comes when a terminal closes and when an operator asks for files to be
   * read again; returns the function that stops it. On Windows it is a request to end instead.
   */
  onHangup(listener: () => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/**
 * The real process. Windows has no SIGTERM. It has SIGBREAK, for Ctrl-Break, and SIGHUP only when the
 * console is closed: then it gives the process a few seconds.
 */
export function processHost(args: readonly string[] = Deno.args): Host {
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK", "SIGHUP"]
    : ["SIGINT", "SIGTERM"];
  return {
    args,
    stdout: Deno.stdout,
    stderr: Deno.stderr,
    stdin: () => Deno.stdin.readable,
    stdinIsTerminal: Deno.stdin.isTerminal(),
    hasTerminal: [Deno.stdin, Deno.stdout, Deno.stderr].some((stream) => stream.isTerminal()),
    noColor: Deno.noColor,
    columns() {
      try {
        return Deno.consoleSize().columns || undefined;
      } catch {
        return undefined;
      }
    },
    env: (name) => Deno.env.get(name),
    onInterrupt: (listener) => onSignals(signals, listener),
    onHangup: (listener) => onSignals(Deno.build.os === "windows" ? [] : ["SIGHUP"], listener),
    exit: (code) => Deno.exit(code),
  };
}

function onSignals(signals: readonly Deno.Signal[], listener: (signal: string) => void) {
  const listeners = signals.map((signal) => [signal, () => listener(signal)] as const);
  for (const [signal, listen] of listeners) Deno.addSignalListener(signal, listen);
  return () => {
    for (const [signal, listen] of listeners) Deno.removeSignalListener(signal, listen);
  };
}

/** Writes a text whole. If stderr is gone there is nowhere to say so, and the work goes on. */
export function writeFully(sink: SyncSink, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let at = 0; at < bytes.length;) at += sink.writeSync(bytes.subarray(at));
  } catch {
    // Closed by its reader.
  }
}
