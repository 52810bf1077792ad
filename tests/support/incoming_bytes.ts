/** Bytes that a connection without a socket brings, as a test gives them. */
export class IncomingBytes {
  readonly #chunks: Uint8Array[] = [];
  #reading: PromiseWithResolvers<void> | undefined;
  #ended = false;

  /** Has them read next. */
  give(...chunks: readonly Uint8Array[]): void {
    this.#chunks.push(...chunks);
    this.#reading?.resolve();
  }

  /** Ends them behind what was given. */
  end(): void {
    this.#ended = true;
    this.#reading?.resolve();
  }

  /** As `Deno.Conn`: waits for bytes; `null` at the end. */
  async read(into: Uint8Array): Promise<number | null> {
    while (this.#chunks.length === 0) {
      if (this.#ended) return null;
      this.#reading = Promise.withResolvers();
      await this.#reading.promise;
    }
    const chunk = this.#chunks.shift()!;
    const part = chunk.subarray(0, into.length);
    into.set(part);
    if (part.length < chunk.length) this.#chunks.unshift(chunk.subarray(part.length));
    return part.length;
  }
}
