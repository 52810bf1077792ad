/** Formats whose text has to be taken out. */
export type PackedKind = "pdf" | "docx" | "epub";

/** A file to be read. */
export interface PackedFile {
  readonly kind: PackedKind;
  /** All of it, in memory of its own. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** What was taken out of a file. */
export interface PackedText {
  readonly title: string | undefined;
  readonly text: string;
  /** The tag of the language that the file says it is in, such as `en-GB`. */
  readonly language?: string | undefined;
}
