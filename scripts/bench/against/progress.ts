import { formatDuration } from "../../../cmd/_cli/mod.ts";
import { say } from "../support.ts";

/** What a long comparison is doing: one line that is written over, or lines where nobody watches. */
export class Progress {
  readonly #isTerminal = Deno.stderr.isTerminal();
  #endsAt: number | undefined;
  #shown = "";

  /** Says how long the rest will take. */
  expect(restMs: number): void {
    this.#endsAt = performance.now() + restMs;
    this.line(`about ${formatDuration(restMs)} to go`);
  }

  /** Says what is being done. */
  show(text: string): void {
    if (!this.#isTerminal) {
      // A line for each pair; what it goes through would be many.
      const stage = text.replace(/:.*/, "");
      if (stage !== this.#shown) say(stage);
      this.#shown = stage;
      return;
    }
    const left = this.#endsAt === undefined ? "" : `, ${this.#left(this.#endsAt)}`;
    this.#write(`\r\x1b[2K${text}${left}`);
  }

  /** Writes a line that stays. */
  line(text: string): void {
    this.clear();
    say(text);
  }

  /** Takes away the line that is written over. */
  clear(): void {
    if (this.#isTerminal) this.#write("\r\x1b[2K");
  }

  #left(endsAt: number): string {
    const ms = Math.max(0, endsAt - performance.now());
    return `about ${formatDuration(Math.ceil(ms / 1_000) * 1_000)} to go`;
  }

  #write(text: string): void {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  }
}
