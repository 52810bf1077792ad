import { fileURLToPath, pathToFileURL } from "node:url";

/** The path of the checkout, without a slash at the end. */
export const ROOT: string = fromFileUrl(new URL("../..", import.meta.url)).replace(/[\\/]$/, "");

/** The path of a `file:` URL, as this system writes paths. */
export function fromFileUrl(url: string | URL): string {
  return fileURLToPath(url);
}

/** The `file:` URL of a path in the checkout that is relative to it. */
export function toFileUrl(path: string): string {
  return pathToFileURL(`${ROOT}/${path}`).href;
}

/** A path in the checkout, relative to it and with `/`. */
export function toRelative(path: string): string {
  return path.slice(ROOT.length + 1).replaceAll("\\", "/");
}
