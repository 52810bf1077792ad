/**
 * The rules of the house: which room may import which, and what may not stand in one. Paths are
 * relative to the checkout.
 *
 * @module
 */
import type { Module } from "./read_module.ts";

/** Modules by their paths. */
export type House = ReadonlyMap<string, Module>;

/** The rooms of roles, which do not import each other. */
export const ROLES: readonly string[] = ["echo", "load", "proxy", "pubsub", "search"];

/** The floors of `lib`, the lowest first. What is in one imports from lower ones, or its own room. */
const FLOORS: readonly (readonly string[])[] = [
  ["base"],
  ["frame"],
  ["net"],
  ["access", "capture", "request", "sqlite"],
  ["web"],
  ROLES,
];

/** Rooms in a room. Their files import those of the same one, and what is listed of that room. */
const CHAMBERS: Readonly<Record<string, readonly string[]>> = {
  "lib/net/bytes/": [],
  "lib/pubsub/broker/": ["lib/pubsub/protocol/"],
  "lib/pubsub/client/": ["lib/pubsub/protocol/"],
  "lib/pubsub/protocol/": [],
  "lib/request/client/": ["lib/request/request_error.ts"],
  "lib/request/server/": ["lib/request/request_error.ts"],
};

/** What runs in a browser as it stands, with all that it imports: folders and files. */
const BROWSER = [
  "lib/base/",
  "lib/frame/",
  "lib/net/address.ts",
  "lib/net/bytes/",
  "lib/net/connection_error.ts",
  "lib/net/web_socket.ts",
  "lib/pubsub/client/",
  "lib/pubsub/protocol/",
  "lib/request/client/",
];

/** What of that does not: nothing in a browser starts a thread of the program. */
const THREADS = "lib/base/threads/";

/** The one place in `lib` that prints. */
const REPORT = "lib/base/report.ts";

/** What of the rules does not hold, a line each. */
export function houseProblems(house: House): string[] {
  return [...circles(house), ...wrongArrows(house), ...wrongUses(house)];
}

/** Files that import each other, by a way round as short as there is; one for each such group. */
export function circles(house: House): string[] {
  const ways = [...house.keys()].map((path) => shortestWayBack(house, path))
    .filter((way) => way.length > 0)
    .sort((a, b) => a.length - b.length);
  const told: (readonly string[])[] = [];
  for (const way of ways) {
    if (!told.some((other) => other.some((path) => way.includes(path)))) told.push(way);
  }
  return told.map((way) => `circle: ${[...way, way[0]].join(" → ")}`);
}

/** The files on a shortest way from one to itself; none if there is no such way. */
function shortestWayBack(house: House, start: string): string[] {
  const cameFrom = new Map<string, string>();
  const waiting = [start];
  for (const path of waiting) {
    for (const next of importsOf(house, path)) {
      if (next === start) {
        const way = [path];
        while (way[0] !== start) way.unshift(cameFrom.get(way[0]!)!);
        return way;
      }
      if (!cameFrom.has(next)) {
        cameFrom.set(next, path);
        waiting.push(next);
      }
    }
  }
  return [];
}

function importsOf(house: House, path: string): string[] {
  return (house.get(path)?.imports ?? []).filter(isRelative).map((to) => resolve(path, to));
}

function wrongArrows(house: House): string[] {
  return [...house].flatMap(([path, { imports, opens }]) => {
    const wrong: string[] = [];
    for (const to of [...imports, ...opens]) {
      const target = isRelative(to) ? resolve(path, to) : to;
      const problem = isRelative(to)
        ? arrowProblem(path, target)
        : to.startsWith("@socktool/") && "the package imports itself";
      if (problem) wrong.push(`${path} → ${target}: ${problem}`);
    }
    return wrong;
  });
}

function arrowProblem(from: string, to: string): string | undefined {
  if (!from.startsWith("lib/")) return undefined;
  if (!to.startsWith("lib/")) return "lib imports nothing outside of it";
  const [room, other] = [roomOf(from), roomOf(to)];
  const [floor, otherFloor] = [floorOf(room), floorOf(other)];
  if (floor < 0) return `${room} has no place in the house`;
  if (room !== other) return floor > otherFloor ? undefined : `${room} does not import ${other}`;
  const [chamber, target] = [chamberOf(from), chamberOf(to)];
  if (chamber === undefined || chamber === target) return undefined;
  if (CHAMBERS[chamber]!.some((allowed) => to.startsWith(allowed))) return undefined;
  // What is in the room, but in no chamber of it, is above them.
  return `${chamber} does not import ${target ?? `what is above it in ${room}`}`;
}

const roomOf = (path: string) => path.split("/")[1]!;
const floorOf = (room: string) => FLOORS.findIndex((rooms) => rooms.includes(room));
const chamberOf = (path: string) => Object.keys(CHAMBERS).find((folder) => path.startsWith(folder));

function wrongUses(house: House): string[] {
  const isFirst = (path: string) =>
    !path.startsWith(THREADS) && BROWSER.some((folder) => path.startsWith(folder));
  const browser = importedBy(house, isFirst);
  return [...house].filter(([path]) => path.startsWith("lib/")).flatMap(([path, module]) => {
    const inBrowser = browser.has(path);
    const wrong = [
      ...module.uses.filter((use) =>
        use === "console" ? path !== REPORT : inBrowser || NOT_FOR_LIB.includes(use)
      ),
      ...module.imports.filter((specifier) => inBrowser && specifier.startsWith("node:")),
    ];
    const where = inBrowser ? `${path}, which runs in a browser,` : path;
    return wrong.map((use) => `${where} uses ${use}`);
  });
}

/** The files that are chosen, what they import, and so on. */
function importedBy(house: House, isChosen: (path: string) => boolean): Set<string> {
  const found = new Set([...house.keys()].filter(isChosen));
  for (const path of found) for (const next of importsOf(house, path)) found.add(next);
  return found;
}

/** `Deno` alone may be taken apart to anything. */
const NOT_FOR_LIB = ["Deno", "Deno.args", "Deno.exit", "Deno.exitCode"];

const isRelative = (specifier: string) => /^\.{1,2}\//.test(specifier);

function resolve(from: string, to: string): string {
  return new URL(to, `file:///${from}`).pathname.slice(1);
}
