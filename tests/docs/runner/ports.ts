/** The ports that a page names become free ones while it is run, and its own again in the output. */

/**
 * Ports below those that systems give to outgoing connections, so that nothing but a server takes
 * one. Who holds the first of a block has the rest of it: that keeps test runs apart.
 */
const FIRST_PORT = 20_000;
const BLOCKS = 700;
const BLOCK_PORTS = 16;

/** Ports that no other run of these tests uses at the same time. Disposing gives them back. */
export class PortBlock implements Disposable {
  readonly #anchor: Deno.Listener;
  readonly #first: number;
  #used = 0;

  constructor() {
    const start = Math.floor(Math.random() * BLOCKS);
    for (let i = 0; i < BLOCKS; i++) {
      const first = FIRST_PORT + (start + i) % BLOCKS * BLOCK_PORTS;
      const anchor = listenOn(first);
      if (anchor) {
        [this.#anchor, this.#first] = [anchor, first];
        return;
      }
    }
    throw new Error("No block of ports is free");
  }

  /** The next port on which nothing listens. */
  next(): number {
    while (++this.#used < BLOCK_PORTS) {
      const port = this.#first + this.#used;
      const listener = listenOn(port);
      listener?.close();
      if (listener) return port;
    }
    throw new Error(`More than ${BLOCK_PORTS - 1} ports under one heading`);
  }

  [Symbol.dispose](): void {
    this.#anchor.close();
  }
}

function listenOn(port: number): Deno.Listener | undefined {
  try {
    return Deno.listen({ hostname: "127.0.0.1", port });
  } catch {
    return undefined;
  }
}

/** Which free port stands for which port of the page. */
export class PortMap {
  readonly #real = new Map<string, string>();

  /** Gives each port that the texts name, and each of `others`, a free one. */
  constructor(block: PortBlock, texts: readonly string[], others: readonly number[] = []) {
    const named = texts.flatMap((text) => [...text.matchAll(NAMED_PORT)].map(([, port]) => port!));
    for (const port of new Set([...named, ...others.map(String)])) {
      if (port !== "0") this.#real.set(port, String(block.next()));
    }
  }

  /** The page's text with the free ports. */
  toReal(text: string): string {
    return replaceNumbers(text, this.#real);
  }

  /** Output with the page's ports. */
  toPage(text: string): string {
    return replaceNumbers(text, new Map([...this.#real].map(([page, real]) => [real, page])));
  }

  /** `PAGE=REAL,…`, for the program in `socktool.ts`. */
  toString(): string {
    return [...this.#real].map((pair) => pair.join("=")).join(",");
  }
}

/** `:5634`, `127.0.0.1 5634`, `localhost 5634`, `port: 5634`. */
const NAMED_PORT = /(?::|\b127\.0\.0\.1 |\blocalhost |\bport: )(\d{4,5})\b/g;

function replaceNumbers(text: string, by: ReadonlyMap<string, string>): string {
  return text.replace(/(?<![\d.])\d{4,5}(?![\d]|\.\d)/g, (number) => by.get(number) ?? number);
}
