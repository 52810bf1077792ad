/**
 * Corpora that packages of Debian carry. None of them is downloaded: where a package is not
 * installed, its corpus is left out.
 *
 * @module
 */
import { gunzipSync } from "node:zlib";

/** Texts to search in. */
export interface Corpus {
  /** The package to install. */
  readonly package: string;
  /** What to take in; `undefined` if it is not installed. @param folder Where files may be made. */
  readonly find: (folder: string) => Promise<string | undefined>;
}

const FOLDERS = "/usr/share/doc";

/** The corpora by name. */
export const CORPORA: Readonly<Record<string, Corpus>> = {
  "postgresql-doc": { package: "postgresql-doc", find: () => findHtml("postgresql-doc-") },
  "python3-doc": { package: "python3-doc", find: (folder) => pagesOf("python3.", folder) },
  "wordnet": { package: "wordnet-base", find: wordnet },
  "manpages": { package: "manpages-dev", find: manPages },
};

/** The folder of HTML of the package whose name begins with this; of several versions the last. */
async function findHtml(beginning: string): Promise<string | undefined> {
  let found: string | undefined;
  for await (const { name } of Deno.readDir(FOLDERS)) {
    const path = `${FOLDERS}/${name}/html`;
    if (name.startsWith(beginning) && await isThere(`${path}/index.html`)) {
      if (found === undefined || path > found) found = path;
    }
  }
  return found && await Deno.realPath(found);
}

/** The pages alone: beside them are their sources, with the same text. */
async function pagesOf(beginning: string, folder: string): Promise<string | undefined> {
  const root = await findHtml(beginning);
  if (root === undefined) return undefined;
  const target = `${folder}/${crypto.randomUUID()}`;
  const copy = async (path: string) => {
    await Deno.mkdir(target + path, { recursive: true });
    for await (const { name, isDirectory } of Deno.readDir(root + path)) {
      if (isDirectory && !name.startsWith("_")) await copy(`${path}/${name}`);
      else if (name.endsWith(".html")) {
        await Deno.copyFile(`${root}${path}/${name}`, `${target}${path}/${name}`);
      }
    }
  };
  await copy("");
  return target;
}

const FILES_OF_WORDNET = ["noun", "verb", "adj", "adv"].map((kind) =>
  `/usr/share/wordnet/data.${kind}`
);

/** A dictionary: each word or expression with its meanings. */
async function wordnet(folder: string): Promise<string | undefined> {
  if (!await isThere(FILES_OF_WORDNET[0]!)) return undefined;
  const meanings = new Map<string, string[]>();
  for (const file of FILES_OF_WORDNET) {
    for (const line of (await Deno.readTextFile(file)).split("\n")) {
      const [data, meaning] = line.split(" | ");
      if (line.startsWith(" ") || meaning === undefined) continue;
      const fields = data!.split(" ");
      const count = Number.parseInt(fields[3]!, 16);
      for (let i = 0; i < count; i++) {
        const word = fields[4 + 2 * i]!.replaceAll("_", " ").replace(/\([a-z]+\)$/, "");
        meanings.set(word, [...meanings.get(word) ?? [], meaning.trim()]);
      }
    }
  }
  return await write(folder, [...meanings].map(([key, all]) => ({ key, text: all.join("\n") })));
}

/** The pages of sections 2, 3, 5 and 7, without their markup. */
async function manPages(folder: string): Promise<string | undefined> {
  if (!await isThere("/usr/share/man/man2/open.2.gz")) return undefined;
  const entries: { key: string; title: string; text: string }[] = [];
  for (const section of [2, 3, 5, 7]) {
    for await (const { name } of Deno.readDir(`/usr/share/man/man${section}`)) {
      const key = /^(.*\.[0-9])\.gz$/.exec(name)?.[1];
      if (key === undefined) continue;
      const bytes = gunzipSync(await Deno.readFile(`/usr/share/man/man${section}/${name}`));
      const source = new TextDecoder().decode(bytes);
      // A page that only names another one.
      if (/^(?:[.']\\".*\n)*\.so /.test(source)) continue;
      const text = plain(source);
      const title = /^NAME\n([^\n]+)/m.exec(text)?.[1] ?? key;
      entries.push({ key, title, text });
    }
  }
  entries.sort((a, b) => a.key < b.key ? -1 : 1);
  return await write(folder, entries);
}

/** The text of a manual page: macros keep their words, comments and escapes go. */
function plain(source: string): string {
  return source.split("\n").flatMap((line) => {
    if (/^['.]\\"|^\.\s*$/.test(line)) return [];
    const macro = /^\.\s*([A-Za-z]+)\s*(.*)$/.exec(line);
    if (macro === null) return line;
    const [, name, rest] = macro;
    return /^(?:[BI]|[BIR]{2}|SH|SS|TP|IP|SM|SB|TQ)$/.test(name!) ? rest!.replaceAll('"', "") : [];
  }).join("\n").replace(/\\(?:f[A-Z]|f\(..|f\[.*?\]|&|%|:|\^|\|)/g, "")
    .replace(/\\(?:\(em|\[em\])/g, "—").replace(/\\(?:-|\(en|\(hy)/g, "-").replace(/\\e/g, "\\")
    .replace(/\\(?:\(..|\[.*?\]|.)/g, " ");
}

async function write(folder: string, entries: readonly object[]): Promise<string> {
  const path = `${folder}/${crypto.randomUUID()}.jsonl`;
  await Deno.writeTextFile(path, entries.map((entry) => JSON.stringify(entry)).join("\n"));
  return path;
}

async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch {
    return false;
  }
}
