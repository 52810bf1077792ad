import { byId, make } from "../common/dom.ts";
import { bytes, count, ms, span } from "../common/units.ts";
import type { BrokerStats, ProxyEvent, ProxyStats, SearchStats, Stats } from "./stats.ts";

/** A column: what it is called, what stands in it, and whether that is a number. */
interface Column<T> {
  readonly name: string;
  text(item: T): string;
  readonly isNumber?: boolean;
  warns?(item: T): boolean;
}

/** A table, ready to be shown. */
interface Table {
  readonly title: string;
  /** What scrolls where there is no room for it; a text where there is nothing to tell. */
  readonly content: HTMLElement;
}

/** What is on the page: it stays, so that nobody's place in it is lost when figures change. */
const places = new Map<string, HTMLElement>();

/** The tables of what a server tells. */
export function showTables(stats: Stats): void {
  const tables = tablesOf(stats);
  for (const { title, content } of tables) {
    const place = places.get(title) ?? addPlace(title);
    place.replaceChildren(content);
  }
  const shown = new Set(tables.map(({ title }) => title));
  for (const [title, place] of places) place.parentElement!.hidden = !shown.has(title);
}

function tablesOf(stats: Stats): Table[] {
  if (stats.role === "broker") return brokerTables(stats);
  return stats.role === "proxy" ? proxyTables(stats) : searchTables(stats);
}

function addPlace(title: string): HTMLElement {
  const id = title.toLowerCase().replaceAll(" ", "-");
  // What is wider than a phone is scrolled, by keyboard too.
  const place = make("div", {
    class: "scroll",
    tabindex: 0,
    role: "group",
    "aria-labelledby": id,
  });
  byId("tables").append(
    make("section", { "aria-labelledby": id }, make("h2", { id }, title), place),
  );
  places.set(title, place);
  return place;
}

function brokerTables({ clients, topics, streams }: BrokerStats): Table[] {
  const tables: Table[] = [];
  if (clients !== undefined) {
    tables.push(table("Slowest clients", "Nobody is connected.", clients, [
      { name: "Client", text: ({ name, remote }) => name === "" ? remote : `${name} (${remote})` },
      { name: "User", text: ({ user }) => user },
      {
        name: "Waiting",
        text: ({ pendingBytes }) => bytes(pendingBytes),
        isNumber: true,
      },
      {
        name: "Missed",
        text: ({ missed }) => count(missed),
        isNumber: true,
        warns: ({ missed }) => missed > 0,
      },
      { name: "Delivered", text: ({ delivered }) => count(delivered), isNumber: true },
      { name: "Published", text: ({ published }) => count(published), isNumber: true },
      { name: "Filters", text: ({ filters }) => count(filters), isNumber: true },
      { name: "Open for", text: ({ openMs }) => span(openMs), isNumber: true },
    ]));
  }
  if (topics !== undefined) {
    tables.push(table("Topics subscribed to", "Nobody subscribes.", topics, [
      { name: "Filter", text: ({ filter }) => filter },
      { name: "Subscribers", text: ({ subscribers }) => count(subscribers), isNumber: true },
      {
        name: "Groups",
        text: ({ groups }) =>
          Object.entries(groups).map(([name, members]) => `${name}: ${members}`).join(", ") || "–",
      },
    ]));
  }
  if (streams === undefined) return tables;
  tables.push(table("Streams", "There are no streams.", streams, [
    { name: "Stream", text: ({ name }) => name },
    { name: "Messages", text: ({ count: kept }) => count(kept), isNumber: true },
    { name: "Size", text: (stream) => bytes(stream.bytes), isNumber: true },
    { name: "First", text: ({ firstSeq }) => String(firstSeq), isNumber: true },
    { name: "Last", text: ({ lastSeq }) => String(lastSeq), isNumber: true },
  ]));
  const consumers = streams.flatMap(({ name: stream, consumers }) =>
    consumers.map((consumer) => ({ stream, ...consumer }))
  );
  tables.push(table("Consumers", "There are no consumers.", consumers, [
    { name: "Consumer", text: ({ stream, consumer }) => `${stream} / ${consumer}` },
    { name: "Lag", text: ({ pending }) => count(pending), isNumber: true },
    { name: "Unacknowledged", text: ({ unacked }) => count(unacked), isNumber: true },
    {
      name: "Oldest",
      text: ({ unacked, oldestUnackedMs }) => unacked === 0 ? "–" : ms(oldestUnackedMs),
      isNumber: true,
    },
    { name: "Again", text: ({ redelivered }) => count(redelivered), isNumber: true },
    {
      name: "Dead",
      text: ({ dead }) => count(dead),
      isNumber: true,
      warns: ({ dead }) => dead > 0,
    },
    { name: "Members", text: ({ members }) => count(members), isNumber: true },
  ]));
  return tables;
}

function searchTables({ search, indexing }: SearchStats): Table[] {
  const rows: [string, string][] = [
    ["Entries", count(search.entries)],
    ["Size on disk", bytes(search.indexBytes)],
    ["State", indexingText(indexing)],
    ["Workers", count(search.workers)],
    ["Searches with corrected spelling", count(search.corrected)],
    ["Entries put and deleted by clients", count(search.writes)],
  ];
  return [table("Index", "", rows, [
    { name: "What", text: ([what]) => what },
    { name: "Figure", text: ([, figure]) => figure },
  ])];
}

function proxyTables({ connections, events }: ProxyStats): Table[] {
  return [
    table("Open connections", "Nobody is connected.", connections, [
      { name: "Client", text: ({ id, client }) => `#${id} ${client}` },
      { name: "Up", text: ({ upBytes }) => bytes(upBytes), isNumber: true },
      { name: "Down", text: ({ downBytes }) => bytes(downBytes), isNumber: true },
      { name: "Open for", text: ({ openMs }) => span(openMs), isNumber: true },
    ]),
    table("Events", "Nothing has happened.", events, [
      { name: "What", text: eventText },
      { name: "Connection", text: ({ connection }) => `#${connection}`, isNumber: true },
      { name: "Time", text: ({ at }) => new Date(at).toLocaleTimeString("en-GB"), isNumber: true },
    ]),
  ];
}

function eventText(event: ProxyEvent): string {
  const { what, client, reason, error, fault, direction, offset, notice } = event;
  switch (what) {
    case "opened":
      return `opened by ${client}`;
    case "closed":
      return `closed: ${reason}${error === undefined ? "" : `, ${error}`}`;
    case "fault":
      return `${fault} (${direction}, byte ${offset})`;
    case "notice":
      return notice === "full"
        ? `${direction}: as much waits as may, nothing more is read`
        : `${direction}: no frames, passed as they are`;
  }
}

function indexingText(indexing: SearchStats["indexing"]): string {
  const { isRunning, progress = 0, path, finishedAt, durationMs = 0 } = indexing;
  if (isRunning) return `Indexing: ${Math.floor(progress * 100)} %${path ? `, ${path}` : ""}`;
  if (finishedAt === undefined) return "Ready";
  const { added = 0, updated = 0, removed = 0 } = indexing;
  const changes = [[added, "added"], [updated, "updated"], [removed, "removed"]]
    .map(([number, what]) => `${count(number as number)} ${what}`).join(", ");
  return `Ready; last indexed ${span(Date.now() - finishedAt)} ago, in ${
    ms(durationMs)
  }: ${changes}`;
}

function table<T>(
  title: string,
  ifEmpty: string,
  items: readonly T[],
  columns: readonly Column<T>[],
): Table {
  if (items.length === 0) return { title, content: make("p", { class: "hint" }, ifEmpty) };
  const head = columns.map(({ name, isNumber }) =>
    make("th", { scope: "col", class: isNumber && "number" }, name)
  );
  const rows = items.map((item) =>
    make(
      "tr",
      {},
      ...columns.map(({ text, isNumber, warns }, i) => {
        const kinds = [isNumber && "number", warns?.(item) && "warn"].filter(Boolean).join(" ");
        return make(
          i === 0 ? "th" : "td",
          { scope: i === 0 ? "row" : undefined, class: kinds || undefined },
          text(item),
        );
      }),
    )
  );
  const content = make(
    "table",
    {},
    make("thead", {}, make("tr", {}, ...head)),
    make("tbody", {}, ...rows),
  );
  return { title, content };
}
