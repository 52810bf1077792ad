/** The chat of docs/browser.md, by two browsers' pages. */
import { assert, assertEquals } from "@std/assert";
import { parsePage } from "../docs/runner/markdown.ts";
import { openBrowser } from "../support/browser.ts";
import { ROOT, ServerProgram } from "../support/programs.ts";
import { pagesOf } from "./pages_of.ts";

Deno.test("the chat of docs/browser.md works between two pages of another origin, and after a restart", async () => {
  await using browser = await openBrowser("the chat of docs/browser.md");
  if (!browser) return;
  const { blocks } = parsePage(
    "docs/browser.md",
    await Deno.readTextFile(`${ROOT}docs/browser.md`),
  );
  const html = blocks.find(({ language }) => language === "html")!.text;
  assert(html.split("\n").length <= 35);
  let text = "";
  await using site = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(text, { headers: { "content-type": "text/html" } }),
  );
  const origin = `http://localhost:${site.addr.port}`;
  const start = (http: string) =>
    ServerProgram.start([
      ...["run", "-A", `${ROOT}cmd/socktool.ts`, "broker", ":0"],
      ...["--http", http, "--allow-origin", origin],
    ]);
  let broker = await start("127.0.0.1:0");
  try {
    const { host } = new URL(pagesOf(broker));
    text = html.replaceAll("127.0.0.1:9090", host);
    assert(text.includes(`ws://${host}/ws`));
    const [ada, bob] = [await browser.open(origin), await browser.open(origin)];
    for (const tab of [ada, bob]) await tab.reads("p", "connected");
    const say = async (tab: typeof ada, who: string, what: string) => {
      await tab.value(`document.forms[0].who.value = ${JSON.stringify(who)}`);
      await tab.click("[name=text]");
      await tab.type(what);
      await tab.press("Enter");
    };
    await say(ada, "Ada L.", "Hello <b>there</b>");
    for (const tab of [ada, bob]) await tab.reads("li", "Ada_L_: Hello <b>there</b>");
    ada.mayFail = bob.mayFail = true;
    await broker[Symbol.asyncDispose]();
    for (const tab of [ada, bob]) await tab.reads("p", "reconnecting");
    broker = await start(host);
    for (const tab of [ada, bob]) await tab.reads("p", "connected");
    await say(bob, "Bob", "Back again");
    for (const tab of [ada, bob]) await tab.reads("li", "Bob: Back again");
    assertEquals([...ada.problems, ...bob.problems], []);
  } finally {
    await broker[Symbol.asyncDispose]();
  }
});
