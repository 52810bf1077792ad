/**
 * Writes a file that is going to be run. Another process writes it. If this one did, programs that
 * other tests start at that moment would inherit the open file, and a file that is open for writing
 * cannot be run ("Text file busy").
 */
export function writeProgram(path: string, content: string | Uint8Array): void {
  const source = `${path}.source`;
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  Deno.writeFileSync(source, bytes);
  if (Deno.build.os === "windows") return Deno.renameSync(source, path);
  // As a new file: what was at this path may still be open somewhere.
  const command = 'rm -f "$1" && cp "$0" "$1" && chmod 755 "$1" && rm "$0"';
  const { success, stderr } = new Deno.Command("sh", { args: ["-c", command, source, path] })
    .outputSync();
  if (!success) throw new Error(`Cannot write ${path}: ${new TextDecoder().decode(stderr)}`);
}
