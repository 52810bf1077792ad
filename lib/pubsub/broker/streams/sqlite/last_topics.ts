import type { Statements } from "./statements.ts";

const SAVE = "INSERT INTO topic VALUES (?, ?, ?) " +
  "ON CONFLICT (stream, topic) DO UPDATE SET last = excluded.last";

/** The numbers of the last messages of one stream's topics, as far as the table does not have them. */
export class LastTopics {
  /** Of the commit that is being made. */
  readonly #fresh = new Map<string, number>();
  /** Of those before it. */
  readonly #unsaved = new Map<string, number>();

  /** How many topics are not saved. */
  get size(): number {
    return this.#fresh.size + this.#unsaved.size;
  }

  /** The number of a topic's last message, unless only the table has it. */
  find(topic: string): number | undefined {
    return this.#fresh.get(topic) ?? this.#unsaved.get(topic);
  }

  /** A message came. */
  add(topic: string, seq: number): void {
    this.#fresh.set(topic, seq);
  }

  /** Writes what the table does not have. */
  save(statements: Statements, stream: number): void {
    for (const [topic, seq] of this.#unsaved) {
      if (!this.#fresh.has(topic)) statements.run(SAVE, stream, topic, seq);
    }
    for (const [topic, seq] of this.#fresh) statements.run(SAVE, stream, topic, seq);
  }

  /** The commit was made. @param isSaved Whether all was written in it. */
  committed(isSaved: boolean): void {
    if (isSaved) this.#unsaved.clear();
    else for (const [topic, seq] of this.#fresh) this.#unsaved.set(topic, seq);
    this.#fresh.clear();
  }

  /** Takes back what came since the last commit. */
  rollBack(): void {
    this.#fresh.clear();
  }
}
