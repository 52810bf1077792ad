import { ByteBuffer, type HeaderInit, writeFrame } from "../../frame/mod.ts";

/** The content fields of a frame that has no content. */
const NO_CONTENT = { "content-type": "text/json", "content-encoding": "utf-8" } as const;

/** Writes a frame that has an `op` and no content. Fields that are `undefined` are left out. */
export function writeControl(buffer: ByteBuffer, op: string, fields: HeaderInit = {}): void {
  writeFrame(buffer, { header: { ...NO_CONTENT, op, ...fields } });
}

/** The size of such a frame, in bytes. */
export function controlBytes(op: string, fields: HeaderInit = {}): number {
  const buffer = new ByteBuffer();
  writeControl(buffer, op, fields);
  return buffer.length;
}
