import { assertEquals } from "@std/assert";
import { qualityOf } from "../../lib/web/quality.ts";
import { Metrics, type WebReply, type WebRequest } from "../../lib/web/mod.ts";

Deno.test("qualityOf() reads how much a client wants something", () => {
  const cases: readonly (readonly [string | undefined, readonly string[], number | undefined])[] = [
    [undefined, ["gzip"], undefined],
    ["", ["gzip"], undefined],
    ["gzip", ["gzip"], 1],
    ["GZip ; Q=0.5", ["gzip"], 0.5],
    ["br, gzip;q=0", ["gzip", "*"], 0],
    ["gzip;q=0, *", ["gzip", "*"], 0],
    ["br, *;q=0.1", ["gzip", "*"], 0.1],
    ["gzip;q=0.000", ["gzip"], 0],
    ["gzip;q=2, gzip;q=x", ["gzip"], 1],
    ["xgzip, gzipx", ["gzip"], undefined],
    ["gzip;q=0.2, gzip;q=0.7;x=1", ["gzip"], 0.7],
    [",, ;q=1,", ["gzip"], undefined],
  ];
  for (const [header, names, quality] of cases) {
    assertEquals(qualityOf(header, names), quality, header);
  }
  const versions = 'a/b;version="1";q=0.3,a/b;version=2;q=0.9,a/b;q=0.2';
  assertEquals(qualityOf(versions, ["a/b"], "1"), 0.3);
  assertEquals(qualityOf("a/b;version=2", ["a/b"], "1"), undefined);
});

Deno.test("metrics come in the form that the client prefers", async () => {
  const { handle } = new Metrics().route();
  const typeFor = async (accept: string | undefined) => {
    const request = { header: () => accept, url: new URL("http://localhost/metrics") };
    const { headers } = await handle(request as unknown as WebRequest) as WebReply;
    return headers!["content-type"]!.split(";")[0];
  };
  const open = "application/openmetrics-text";
  const forOpen = [
    open,
    `${open};version=1.0.0`,
    // What Prometheus 2 and 3 send.
    `${open};version=1.0.0;q=0.5,${open};version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2`,
    "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited;q=0.7," +
    `${open};version=1.0.0;escaping=allow-utf-8;q=0.6,${open};version=0.0.1;q=0.5,` +
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
    `text/plain, ${open}`,
  ];
  for (const accept of forOpen) assertEquals(await typeFor(accept), open, accept);
  const forText = [
    undefined,
    "",
    "*/*",
    "text/plain;version=0.0.4",
    "text/html,application/xhtml+xml,*/*;q=0.8",
    `${open};q=0`,
    `${open};q=0, */*`,
    `${open};q=0.1, text/plain`,
    `${open};version=0.0.1;q=0.9,text/plain;version=0.0.4;q=0.5`,
    "application/json",
  ];
  for (const accept of forText) assertEquals(await typeFor(accept), "text/plain", accept);
});
