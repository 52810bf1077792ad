import type { LatencyFigures } from "../../base/latencies.ts";
import type { LoadErrorKind } from "../load_error.ts";
import type { LoadInterval, LoadResult, LoadSettings, LoadSummary } from "../load_result.ts";
import { latencyChart, percentileChart, rateChart } from "./charts.ts";
import { bytesText, countText, escaped, timeText } from "./markup.ts";
import { PAGE_STYLE } from "./page_style.ts";

/**
 * Writes a run as one HTML page that needs nothing else: what was run against what, the figures,
 * charts of the latency by percentile and of latency and rate over time, and the errors.
 *
 * @example
 * ```ts
 * import { serveEcho } from "@socktool/socktool/echo";
 * import { renderReport, runLoad } from "@socktool/socktool/load";
 * import { assert } from "@std/assert";
 *
 * await using server = await serveEcho("127.0.0.1:0");
 * const html = renderReport(await runLoad({ address: server.address, count: 10 }));
 * assert(html.startsWith("<!doctype html>"));
 * ```
 */
export function renderReport(result: LoadResult): string {
  const { settings, summary, intervals, startedAt } = result;
  const title = `Load on ${settings.target}`;
  const began = startedAt.toISOString().slice(0, 19).replace("T", " ");
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p class="faint">${
    escaped(summary.mode)
  }, began at <time datetime="${startedAt.toISOString()}">${began}
 UTC</time>${result.interrupted ? ", interrupted" : ""}</p>
${earlyText(summary)}
${tiles(summary)}
<h2>What became of the messages</h2>
${accountTable(summary)}
<h2>What was run</h2>
${settingsTable(settings)}
${
    summary.latency_us.max === null ? "<p>No message was sent, so there is nothing to draw.</p>" : `
<h2>Latency</h2>
<p>${MEANING[summary.mode]}${
      summary.unanswered + summary.due - summary.sent > 0 ? LOWER_BOUNDS : ""
    }</p>
${latencyTable(summary)}
${kindTable(summary)}
<h2>Charts</h2>
<div class="charts">
${percentileChart(result.latency)}
${latencyChart(intervals)}
${rateChart(intervals)}
</div>`
  }
<h2>Errors</h2>
${errorTable(summary, result.failures)}
<h2>Second by second</h2>
${intervalTable(intervals)}
</main>
<footer>Written by socktool. Latencies are from an HdrHistogram with three digits.</footer>
</body>
</html>
`;
}

const MEANING = {
  "closed loop":
    "From sending a message to its last byte back. In a closed loop a slow answer holds back the " +
    "next message, so a stall shows in few of them.",
  "open loop":
    "From when a message was due on the schedule to its last byte back, so a stall of the server " +
    "shows in every message that had to wait. It is the wait before sending and the service time, " +
    "which counts from when sending began.",
} as const;

const LOWER_BOUNDS = " Messages without an answer count with the time that they had waited: the " +
  "real latencies are larger.";

/** What became of the messages, in a row for each end. */
function accountTable(summary: LoadSummary): string {
  const { due, sent, answered, unanswered, answers, counts = {} } = summary;
  const rows: (readonly [string, number | string])[] = [
    ["Due", due],
    ["Sent", sent],
    ["Answered", answered],
    ["Unanswered", unanswered],
    ["Not sent", due - sent],
    ...(answers ? [["Answers", `${answers.received} of ${answers.due}`] as const] : []),
    ...Object.entries(counts),
  ];
  const body = rows.map(([name, count]) =>
    `<tr><th scope="row">${escaped(name)}</th><td>${count}</td></tr>`
  );
  return `<table class="facts">${body.join("\n")}</table>`;
}

function earlyText({ ended_early: early }: LoadSummary): string {
  if (!early) return "";
  const of = early.of_s === undefined ? "" : ` of ${early.of_s} s`;
  return `<p class="warning">Ended early, after ${Number(early.after_s.toPrecision(3))} s${of}: ${
    escaped(early.reason)
  }</p>`;
}

function timeOr(us: number | null | undefined, otherwise = ""): string {
  return us === null || us === undefined ? otherwise : timeText(us);
}

function tiles(summary: LoadSummary): string {
  const { messages_per_s, bytes_per_s, latency_us, errors } = summary;
  const tile = (name: string, value: string, look = "") =>
    `<div><dt>${name}</dt><dd${look === "" ? "" : ` class="${look}"`}>${escaped(value)}</dd></div>`;
  return `<dl class="tiles">
${tile("Messages/s", countText(messages_per_s))}
${tile("Bytes/s", bytesText(bytes_per_s))}
${tile("Median latency", timeOr(latency_us.p50, "none"))}
${tile("99th percentile", timeOr(latency_us.p99, "none"))}
${tile("Largest latency", timeOr(latency_us.max, "none"))}
${tile("Errors", countText(errors), errors > 0 ? "bad" : "good")}
</dl>`;
}

function settingsTable(settings: LoadSettings): string {
  const { connections, message_bytes, count, duration_s, warmup_s, pipeline, rate_per_s } =
    settings;
  const sizes = message_bytes.map(bytesText).join(", ");
  const rows: [string, string][] = [
    ["Server", `${settings.target}${settings.tls ? " over TLS" : ""}`],
    ["Connections", String(connections)],
    ["Messages", sizes === "" ? "of an exchange" : `of ${sizes}`],
    ["Answers", settings.answer],
    ...(rate_per_s === undefined
      ? [["Sent at once", String(pipeline)] as [string, string]]
      : [["Rate", `${countText(rate_per_s)} messages per second`] as [string, string]]),
    ...(count === undefined ? [] : [["On each connection", String(count)] as [string, string]]),
    ...(duration_s === undefined ? [] : [["Duration", `${duration_s} s`] as [string, string]]),
    ["Warm-up", warmup_s > 0 ? `${warmup_s} s` : "none"],
    ["Compared", settings.verify ? "every byte" : "the first message of each connection"],
    ["Threads", String(settings.workers)],
  ];
  const body = rows.map(([name, value]) =>
    `<tr><th scope="row">${name}</th><td>${escaped(value)}</td></tr>`
  );
  return `<table class="facts">${body.join("\n")}</table>`;
}

function latencyTable({ latency_us, service_us, send_lateness_us }: LoadSummary): string {
  const columns: [string, LatencyFigures][] = [["Latency", latency_us]];
  if (service_us) columns.push(["Service time", service_us]);
  if (send_lateness_us) columns.push(["Wait before sending", send_lateness_us]);
  const head = columns.map(([name]) => `<th scope="col">${name}</th>`).join("");
  const rows = (Object.keys(latency_us) as (keyof LatencyFigures)[]).map((name) =>
    `<tr><th scope="row">${String(name)}</th>${
      columns.map(([, figures]) => `<td>${timeOr(figures[name])}</td>`).join("")
    }</tr>`
  );
  return `<div class="wide"><table><tr><th scope="col"></th>${head}</tr>
${rows.join("\n")}</table></div>`;
}

/** The requests of each kind; nothing where no kinds are told. */
function kindTable({ kinds }: LoadSummary): string {
  if (kinds === undefined) return "";
  const columns = ["Kind", "Answered", "Errors", "p50", "p99", "Max"];
  const rows = Object.entries(kinds).map(([kind, { messages, errors, latency_us }]) => {
    const { p50, p99, max } = latency_us;
    const cells = [messages, errors, ...[p50, p99, max].map((us) => timeOr(us))];
    return `<tr><th scope="row">${escaped(kind)}</th>${
      cells.map((cell) => `<td>${cell}</td>`).join("")
    }</tr>`;
  });
  return `<h2>Latency by kind of request</h2>
<div class="wide"><table><tr>${columns.map((name) => `<th scope="col">${name}</th>`).join("")}</tr>
${rows.join("\n")}</table></div>`;
}

function errorTable(
  { errors, errors_by_kind, wrong_answers }: LoadSummary,
  failures: ReadonlyMap<LoadErrorKind, string>,
): string {
  if (errors === 0) return "<p>None.</p>";
  const rows = (Object.entries(errors_by_kind) as [LoadErrorKind, number][]).map(([kind, count]) =>
    `<tr><th scope="row">${kind}</th><td>${count}</td>` +
    `<td class="message">${escaped(failures.get(kind) ?? "")}</td></tr>`
  );
  const wrong = Object.entries(wrong_answers ?? {}).map(([text, count]) =>
    `<tr><th scope="row">${count}</th><td class="message">${escaped(text)}</td></tr>`
  );
  return `<div class="wide"><table><tr><th scope="col">Kind</th><th scope="col">Count</th>
<th scope="col" style="text-align: left">The first one</th></tr>
${rows.join("\n")}</table></div>${
    wrong.length === 0 ? "" : `
<p>Wrong answers, by what they were:</p>
<div class="wide"><table class="facts">${wrong.join("\n")}</table></div>`
  }`;
}

function intervalTable(intervals: readonly LoadInterval[]): string {
  const columns = [
    "Until",
    "Messages<wbr>/s",
    "p50",
    "p99",
    "Max",
    "Errors",
    '<abbr title="open connections">Open</abbr>',
  ];
  const rows = intervals.map((each) => {
    const { p50, p99, max } = each.latency_us;
    const times = [p50, p99, max].map((us) => timeOr(us));
    const cells = [
      `${each.elapsed_s.toFixed(1)} s`,
      countText(each.messages_per_s),
      ...times,
      String(each.errors),
      String(each.connections),
    ];
    return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  return `<details><summary>The figures behind the charts</summary>
<div class="wide"><table><tr>${columns.map((name) => `<th scope="col">${name}</th>`).join("")}</tr>
${rows.join("\n")}</table></div></details>`;
}
