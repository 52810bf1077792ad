/**
 * Runs the tests of one lane: `deno run -A scripts/test.ts LANE [ARGS OF deno test…]`.
 *
 * `deno test` gives each of its files an isolate, which takes some 50 ms and 80 MB, and compiles all
 * that the file imports anew. In lanes of which several files run at once, those of one folder share isolates.
 *
 * @module
 */
import { ROOT, toFileUrl } from "./pack/paths.ts";

/**
 * Which files run how. A path ends with `/` where it stands for all in a folder; of several lanes the
 * first counts.
 */
const LANES: Readonly<Record<string, readonly string[]>> = {
  /** Two at once, beside other lanes: they wait more than they work. */
  waiting: [
    "tests/pubsub/broker/nats/",
    "tests/cmd/sub_reply_test.ts",
    "tests/pubsub/broker/shutdown_test.ts",
    "tests/pubsub/broker/changed_rights_test.ts",
    "tests/pubsub/broker/budgets_test.ts",
    "tests/pubsub/broker/will_test.ts",
    "tests/pubsub/broker/overview_test.ts",
    "tests/pubsub/broker/limited_subscription_test.ts",
    "tests/pubsub/broker/delivery/backlog_budget_test.ts",
    "tests/pubsub/broker/delivery/slow_test.ts",
    "tests/request/server/",
    "tests/beside/proxy_timing_test.ts",
  ],
  /** In a browser. */
  pages: ["tests/pages/"],
  /** One after the other, with nothing beside them: attacks that are timed by the clock. */
  alone: ["tests/beside/accepting_test.ts", "tests/beside/handshakes_test.ts"],
  /** One after the other, in a process of their own: attacks that are timed by the server's work. */
  attacks: ["tests/beside/"],
};

/** The lanes of which several files run at once, and how many of them share an isolate at most. */
const PARALLEL: Readonly<Record<string, number>> = { together: 24, waiting: 6 };

/** Begun first, each by itself, since they take longest. */
const LONG = [
  "tests/docs/pages_test.ts",
  "tests/scripts/portable_roles_test.ts",
  "tests/docs/runner_test.ts",
  "tests/scripts/portable_private_test.ts",
  "tests/scripts/npm_test.ts",
  "tests/cmd/server_operator_test.ts",
  "tests/load/account_test.ts",
  "tests/pubsub/broker/nats/cluster_test.ts",
];

/** Test files in a folder, in the order of their names. */
export function testFiles(folder = "tests"): string[] {
  return [...Deno.readDirSync(`${ROOT}/${folder}`)]
    .sort((a, b) => a.name < b.name ? -1 : 1)
    .flatMap(({ name, isDirectory }) => {
      const path = `${folder}/${name}`;
      return isDirectory ? testFiles(path) : name.endsWith("_test.ts") ? [path] : [];
    });
}

/** The names of the lanes. */
export const LANE_NAMES: readonly string[] = [...Object.keys(LANES), "together"];

/** The lane of a test file. */
export function laneOf(path: string): string {
  const isIn = (place: string) => place.endsWith("/") ? path.startsWith(place) : path === place;
  return Object.keys(LANES).find((lane) => LANES[lane]!.some(isIn)) ?? "together";
}

/** The paths that are named here, for a test to see whether they are there. */
export const NAMED: readonly string[] = [...LONG, ...Object.values(LANES).flat()];

/**
 * Files that share isolates; those for which most is to do, by the length of their text, first.
 *
 * @param most So many share one at most.
 */
function groupsOf(paths: readonly string[], most: number): string[][] {
  const groups: { readonly paths: string[]; readonly folder: string; length: number }[] = [];
  for (const path of paths) {
    const text = Deno.readTextFileSync(`${ROOT}/${path}`);
    const folder = path.split("/")[1]!;
    // Who looks at the memory must find its own alone.
    const isAlone = LONG.includes(path) || text.includes("memoryUsage");
    const last = groups.findLast((group) => group.folder === folder);
    if (isAlone) groups.push({ paths: [path], folder: "", length: LONG.includes(path) ? 1e9 : 0 });
    else if (last === undefined || last.paths.length === most) {
      groups.push({ paths: [path], folder, length: text.length });
    } else {
      last.paths.push(path);
      last.length += text.length;
    }
  }
  return groups.sort((a, b) => b.length - a.length).map(({ paths }) => paths);
}

/** Runs test files, each or several of them in an isolate. @returns the exit code. */
async function run(groups: readonly (readonly string[])[], flags: readonly string[]) {
  const folder = await Deno.makeTempDir({ prefix: "socktool-tests-" });
  try {
    const isShared = groups.some(({ length }) => length > 1);
    const modules = groups.map((paths, i) => {
      // What is given in several folders is not begun in the order in which it is given.
      if (!isShared) return paths[0]!;
      const module = `${folder}/${String(i).padStart(3, "0")}_${paths[0]!.split("/")[1]}.ts`;
      const imports = paths.map((path) => `import ${JSON.stringify(toFileUrl(path))};\n`);
      Deno.writeTextFileSync(module, imports.join(""));
      return module;
    });
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", "--no-check", ...flags, ...modules],
      cwd: ROOT,
    }).spawn().status;
    return code;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) {
  // Ctrl-C ends the tests, and then this.
  Deno.addSignalListener("SIGINT", () => {});
  const [lane = "", ...flags] = Deno.args;
  // Without a file to run, `deno test` would run all.
  if (!LANE_NAMES.includes(lane)) {
    const problem = `error: there is no lane "${lane}"; there are ${LANE_NAMES.join(", ")}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(problem));
    Deno.exit(2);
  }
  const paths = testFiles().filter((path) => laneOf(path) === lane);
  const sharing = PARALLEL[lane];
  const groups = sharing === undefined ? paths.map((path) => [path]) : groupsOf(paths, sharing);
  Deno.exit(await run(groups, [...sharing === undefined ? [] : ["--parallel"], ...flags]));
}
