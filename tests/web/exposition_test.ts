import { assertEquals } from "@std/assert";
import { exposition, type Family } from "../../lib/web/exposition.ts";
import { isInstalled, runTool } from "../support/tools.ts";

const FAMILIES: readonly Family[] = [
  {
    name: "socktool_odd",
    help: 'a "help" with \\ and\na line',
    type: "counter",
    samples: [
      { suffix: "_total", labels: { reason: 'a "b" \\ c\nd' }, value: 3 },
      { suffix: "_total", labels: { reason: "" }, value: 0 },
    ],
  },
  { name: "socktool_level", help: "up and down", type: "gauge", samples: [{ value: -0.5 }] },
  {
    name: "socktool_seconds",
    help: "how long",
    type: "histogram",
    samples: [
      { suffix: "_bucket", labels: { le: "0.1" }, value: 1 },
      { suffix: "_bucket", labels: { le: "+Inf" }, value: 2 },
      { suffix: "_sum", value: 1e-7 },
      { suffix: "_count", value: 2 },
    ],
  },
  { name: "socktool_none", help: "without values", type: "gauge", samples: [] },
];

Deno.test("exposition() writes text 0.0.4", async () => {
  const text = exposition(FAMILIES, "text");
  assertEquals(text.split("\n").slice(0, 6), [
    '# HELP socktool_odd_total a "help" with \\\\ and\\na line',
    "# TYPE socktool_odd_total counter",
    'socktool_odd_total{reason="a \\"b\\" \\\\ c\\nd"} 3',
    'socktool_odd_total{reason=""} 0',
    "# HELP socktool_level up and down",
    "# TYPE socktool_level gauge",
  ]);
  if (!isInstalled("promtool", "what Prometheus says of the figures")) return;
  const { code, out, err } = await runTool("promtool", ["check", "metrics"], { stdin: text });
  assertEquals([code, out, err], [0, "", ""]);
});

Deno.test("exposition() writes OpenMetrics", () => {
  const lines = exposition(FAMILIES, "openmetrics").split("\n");
  assertEquals(lines.slice(0, 3), [
    '# HELP socktool_odd a \\"help\\" with \\\\ and\\na line',
    "# TYPE socktool_odd counter",
    'socktool_odd_total{reason="a \\"b\\" \\\\ c\\nd"} 3',
  ]);
  assertEquals(lines.slice(-2), ["# EOF", ""]);
});
