import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { serveEcho } from "../../lib/echo/mod.ts";
import { type LoadInterval, renderReport, runLoad } from "../../lib/load/mod.ts";
import { linearScale, logScale, tightScale } from "../../lib/load/report/scale.ts";
import { bytesText, countText, timeText } from "../../lib/load/report/markup.ts";
import { listenLocally } from "../support/peers.ts";
import { serveFault } from "../support/faulty_servers.ts";

Deno.test("renderReport() is one page that loads nothing and draws three charts", async () => {
  await using server = serveEcho(await listenLocally());
  const result = await runLoad({
    address: server.address,
    connections: 3,
    ratePerSecond: 1_000,
    durationMs: 100,
  });
  const html = renderReport(result);
  assert(!/<(script|link|img|iframe)\b|url\(|@import|https?:/i.test(html), "it loads something");
  assertEquals(html.match(/<svg [^>]*role="img" aria-label="[^"]+"/g)?.length, 3);
  assert(!/NaN|undefined|Infinity/.test(html), "a figure is missing");
  assertStringIncludes(html, "prefers-color-scheme: dark");
  assertStringIncludes(html, 'name="viewport"');
  assertStringIncludes(html, "Service time");
});

Deno.test("renderReport() of a run that ended early says so at its top, and what was not sent", async () => {
  await using server = await serveFault("closing");
  const html = renderReport(await runLoad({ address: server.address, count: 5 }));
  assertStringIncludes(html, "connection 1: the server closed it after 0 bytes");
  assert(html.indexOf("Ended early, after") < html.indexOf("What was run"));
  assertMatch(html, /Not sent<\/th><td>4</);
  assertStringIncludes(html, "Messages without an answer count");
  assert(!/NaN|undefined|Infinity/.test(html));
});

Deno.test("renderReport() of a run without any connection has the errors and no chart", async () => {
  const address = await (async () => {
    await using server = await serveFault("closing");
    return server.address;
  })();
  const html = renderReport(await runLoad({ address, count: 1 }));
  assertStringIncludes(html, "the connection was refused");
  assert(!html.includes("<figure") && !/NaN|undefined|Infinity/.test(html));
});

Deno.test("renderReport() tells of kinds of requests, wrong answers and further counts", async () => {
  await using server = serveEcho(await listenLocally());
  const html = renderReport(
    await runLoad({
      address: server.address,
      count: 10,
      exchange: {
        open: () => ({ seq }) =>
          Promise.resolve({
            kind: seq < 4 ? "<first>" : "others",
            error: seq === 2 ? "it is <b>" : undefined,
          }),
        counts: () => ({ missed: 17 }),
      },
    }),
  );
  assertMatch(html, /&#60;first&#62;<\/th><td>3<\/td><td>1</);
  assertMatch(html, /others<\/th><td>7<\/td><td>0</);
  assertStringIncludes(html, "it is &#60;b&#62;");
  assertMatch(html, /missed<\/th><td>17</);
});

Deno.test("renderReport() leaves a gap in the lines where no answer came", async () => {
  await using server = serveEcho(await listenLocally());
  const result = await runLoad({ address: server.address, count: 1 });
  const [interval] = result.intervals;
  const nothing = Object.fromEntries(
    Object.keys(interval!.latency_us).map((name) => [name, null]),
  ) as unknown as LoadInterval["latency_us"];
  const at = (elapsed_s: number, silent = false) => ({
    ...interval!,
    elapsed_s,
    ...(silent ? { messages: 0, latency_us: nothing } : {}),
  });
  const intervals = [at(1), at(2), at(3, true), at(4), at(5, true), at(6), at(7)];
  const html = renderReport({ ...result, intervals });
  const [line] = html.match(/<path class="line look3" d="M\d[^"]*"\/><circle/g) ?? [];
  assertEquals(line?.match(/M/g)?.length, 2, line);
  assert(!/NaN|undefined|Infinity|null/.test(html));
});

Deno.test("renderReport() escapes what came from elsewhere", async () => {
  await using server = serveEcho(await listenLocally());
  const result = await runLoad({ address: server.address, count: 1 });
  const settings = { ...result.settings, target: `unix:/tmp/<b>"&'` };
  const html = renderReport({ ...result, settings });
  assert(!html.includes("<b>"));
  assertMatch(html, /unix:\/tmp\/&#60;b&#62;&#34;&#38;&#39;/);
});

Deno.test("scales put all values between 0 and 1, and their ticks too", () => {
  const positive = fc.double({ min: 1, max: 1e10, noNaN: true });
  fc.assert(fc.property(positive, fc.double({ min: 1, max: 1e6, noNaN: true }), (min, factor) => {
    const max = min * factor;
    for (const scale of [linearScale(max), tightScale(max), logScale(min, max)]) {
      for (const value of [min, Math.sqrt(min * max), max, ...scale.ticks]) {
        const at = scale.at(value);
        assert(at >= -1e-6 && at <= 1 + 1e-6, `${value} is at ${at} of ${min} to ${max}`);
      }
      assert(scale.ticks.length >= 2 && scale.ticks.length <= 25, `${scale.ticks}`);
    }
  }));
});

Deno.test("figures in the report carry units and three digits", () => {
  assertEquals([1, 999.6, 1_250, 12_345_678].map(timeText), ["1 µs", "1 ms", "1.25 ms", "12.3 s"]);
  assertEquals([0, 999, 12_345, 1.5e9].map(countText), ["0", "999", "12.3k", "1.5G"]);
  assertEquals([0, 1023, 1536, 2 ** 40].map(bytesText), ["0 B", "1023 B", "1.5 KiB", "1 TiB"]);
});

Deno.test("renderReport() draws a run of days", async () => {
  await using server = serveEcho(await listenLocally());
  const result = await runLoad({ address: server.address, count: 10 });
  const [second] = result.intervals;
  const intervals = Array.from({ length: 50_000 }, (_, i) => ({ ...second!, elapsed_s: i + 1 }));
  const html = renderReport({ ...result, intervals });
  assertEquals(html.match(/<figure>/g)?.length, 3);
});
