/** The name of the journal in the folder of a store. */
export const JOURNAL_NAME = "socktool.journal";

/** Its size: what it may hold beyond the database, which is written to memory as well. */
export const JOURNAL_BYTES = 4_194_304;

/** Where its records begin. Before them is what the file is. */
export const RECORDS_AT = 4_096;

/** The version of all this. */
const VERSION = 1;

const MAGIC = new TextEncoder().encode("socktool journal\n");

/** What a new file begins with. */
export function journalHead(): Uint8Array {
  const head = new Uint8Array(RECORDS_AT);
  head.set(MAGIC);
  new DataView(head.buffer).setUint32(MAGIC.length, VERSION, true);
  return head;
}

/**
 * What a file is by its beginning: a journal; one that was being made when the process ended, in
 * which nothing can be; or why it is none that this program knows, as the end of a sentence.
 */
export function kindOfJournal(image: Uint8Array): "journal" | "unfinished" | { reason: string } {
  if (image.subarray(0, RECORDS_AT).every((byte) => byte === 0)) return "unfinished";
  if (MAGIC.some((byte, i) => image[i] !== byte)) {
    return { reason: "is another program's file; move it away" };
  }
  if (image.length < RECORDS_AT) return "unfinished";
  const version = new DataView(image.buffer, image.byteOffset).getUint32(MAGIC.length, true);
  if (version === VERSION) return "journal";
  const reason = `is of version ${version} and this program knows ${VERSION}; ` +
    "use the program that wrote it";
  return { reason };
}
