/** Writes a file under another name, and renames it when it is complete. */
export async function writeWhole(path: string, bytes: Uint8Array, mode = 0o644): Promise<void> {
  const part = `${path}.part`;
  try {
    await Deno.writeFile(part, bytes, { mode });
    await Deno.rename(part, path);
  } catch (error) {
    await removeIfThere(part);
    throw error;
  }
}

/** Removes a file, or a folder with everything in it. */
export async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) {
      throw error;
    }
  }
}
