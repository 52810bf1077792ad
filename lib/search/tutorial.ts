import type { SearchEntry } from "./types.ts";

/** The entries of the Python sockets tutorial, which an engine without data serves. */
export const TUTORIAL_ENTRIES: readonly SearchEntry[] = [
  { key: "morpheus", title: "morpheus", text: "Follow the white rabbit. \u{1F430}" },
  { key: "ring", title: "ring", text: "In the caves beneath the Misty Mountains. \u{1F48D}" },
  { key: "\u{1F436}", title: "\u{1F436}", text: "\u{1F43E} Playing ball! \u{1F3D0}" },
];
