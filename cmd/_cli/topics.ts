/**
 * What holds for all commands, to be read by `help TOPIC`.
 *
 * @module
 */
import { type HelpOptions, titleLines } from "./help.ts";
import { createStyle } from "./terminal_text.ts";
import { twoColumns, wrap } from "./wrap.ts";

/** A paragraph, or terms with their meanings. */
export type TopicPart = string | readonly (readonly [term: string, meaning: string])[];

/** Something to know that is no command; its text is loaded only when it is asked for. */
export interface TopicEntry {
  readonly name: string;
  readonly summary: string;
  load(): Promise<readonly TopicPart[]>;
}

/** What `help TOPIC` prints. */
export async function renderTopic(topic: TopicEntry, options: HelpOptions = {}): Promise<string> {
  const { columns = 80, style = createStyle(false) } = options;
  const width = Math.max(40, columns);
  const parts = (await topic.load()).flatMap((part) => [
    "",
    ...(typeof part === "string"
      ? wrap(part, width)
      : twoColumns(part, { width, dress: style.bold })),
  ]);
  return [...titleLines(topic.name, topic.summary, width, style), ...parts, ""].join("\n");
}

/** What `help topics` prints. @param program The program's name. */
export function renderTopics(
  program: string,
  topics: readonly TopicEntry[],
  options: HelpOptions = {},
): string {
  const { columns = 80, style = createStyle(false) } = options;
  const width = Math.max(40, columns);
  const rows = topics.map(({ name, summary }): [string, string] => [name, summary]);
  return [
    ...titleLines(`${program} help TOPIC`, "what holds for all commands", width, style),
    "",
    ...twoColumns(rows, { width, dress: style.bold }),
    "",
  ].join("\n");
}
