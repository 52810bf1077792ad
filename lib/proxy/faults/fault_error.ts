/** A text that is no fault, or no script of faults. */
export class FaultError extends Error {
  /** The error's name, as it is printed. */
  override readonly name = "FaultError";
  /** Always `bad-fault`. */
  readonly code = "bad-fault";
  /** The text. */
  readonly text: string;
  /** Where in the text it is wrong: the index of the first character, and the number of them. */
  readonly at: { readonly index: number; readonly length: number };

  /** Made by this library. `problem` says what is wrong there. */
  constructor(text: string, problem: string, at: { index: number; length: number }) {
    const where = at.length === 0 ? "at its end" : `at character ${at.index + 1}`;
    super(`Cannot read the fault '${text}': ${where}, ${problem}`);
    this.text = text;
    this.at = at;
  }
}
