import type { Host } from "../../../cmd/_cli/host.ts";

/** What a test decides about the process around a command. */
export interface FakeOptions {
  readonly terminal?: boolean;
  readonly noColor?: boolean;
  readonly columns?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** The most that one write to stdout takes. */
  readonly chunk?: number;
  /** Thrown by writes to stdout. */
  readonly writeError?: Error;
}

/** A process that keeps what is written, and can be interrupted from a test. */
export class FakeHost implements Host {
  readonly args: readonly string[];
  readonly stdinIsTerminal = false;
  readonly noColor: boolean;
  readonly hasTerminal: boolean;
  readonly exits: number[] = [];
  readonly listeners = new Set<(signal: string) => void>();
  readonly hangupListeners = new Set<() => void>();
  writes = 0;
  #typing!: ReadableStreamDefaultController<Uint8Array>;
  readonly #stdin = new ReadableStream<Uint8Array>({
    start: (typing) => void (this.#typing = typing),
  });
  readonly #options: FakeOptions;
  readonly #out: Uint8Array[] = [];
  readonly #err: Uint8Array[] = [];

  constructor(args: readonly string[] = [], options: FakeOptions = {}) {
    this.args = args;
    this.noColor = options.noColor ?? false;
    this.hasTerminal = options.terminal ?? false;
    this.#options = options;
  }

  /** All that was written to stdout. */
  get outText(): string {
    return decode(this.#out);
  }

  /** All that was written to stderr. */
  get errText(): string {
    return decode(this.#err);
  }

  readonly stdout = {
    write: async (bytes: Uint8Array): Promise<number> => {
      await undefined;
      if (this.#options.writeError !== undefined) throw this.#options.writeError;
      const taken = bytes.slice(0, this.#options.chunk ?? bytes.length);
      this.#out.push(taken);
      this.writes++;
      return taken.length;
    },
    isTerminal: () => this.#options.terminal ?? false,
  };

  readonly stderr = {
    writeSync: (bytes: Uint8Array): number => {
      const taken = bytes.slice(0, this.#options.chunk ?? bytes.length);
      this.#err.push(taken);
      return taken.length;
    },
    isTerminal: () => this.#options.terminal ?? false,
  };

  stdin = () => this.#stdin;
  columns = () => this.#options.columns;
  env = (name: string) => this.#options.env?.[name];
  exit = (code: number) => void this.exits.push(code);

  onInterrupt = (listener: (signal: string) => void) => {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  };

  onHangup = (listener: () => void) => {
    this.hangupListeners.add(listener);
    return () => void this.hangupListeners.delete(listener);
  };

  /** Puts bytes, or a text, into stdin. */
  type(bytes: string | Uint8Array): void {
    this.#typing.enqueue(typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes);
  }

  /** Whether all was read that was put into stdin. */
  get isRead(): boolean {
    return this.#typing.desiredSize === 1;
  }

  /** Ends stdin. */
  endStdin(): void {
    this.#typing.close();
  }

  /** What SIGHUP does. */
  hangUp(): void {
    for (const listener of this.hangupListeners) listener();
  }

  /** What Ctrl-C does. */
  interrupt(): void {
    for (const listener of this.listeners) listener("SIGINT");
  }
}

function decode(chunks: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return chunks.map((chunk) => decoder.decode(chunk, { stream: true })).join("") + decoder.decode();
}
