/** The search page in a real browser. */
import { assertEquals } from "@std/assert";
import { hashToken } from "../../lib/access/mod.ts";
import { formatAddress } from "../../lib/net/mod.ts";
import { openBrowser, type TestPage } from "../support/browser.ts";
import { ownAddress } from "../support/own_address.ts";
import { innerAppServer, startAppServer } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { pagesOf } from "./pages_of.ts";

const WORDS = ["river", "mountain", "shadow", "treasure", "kingdom"];

const ENTRIES = [
  { key: "rabbit", title: "White Rabbit", text: "Follow the white rabbit.\n\nIt knows the way." },
  { key: "ring", title: "One Ring", text: "It came to him by chance." },
  {
    key: "a/b c#d?é",
    title: "<script>window.pwned = 1</script>",
    text:
      "A xylophone </div><script>window.pwned = 2</script><img src=x onerror='window.pwned = 3'>",
  },
  { key: "..", title: "Two dots", text: "The key of this entry is no folder: dotted." },
  ...Array.from({ length: 25 }, (_, i) => ({
    key: `place-${i}`,
    title: `Place ${i} of the ${WORDS[i % 5]}`,
    text: `${WORDS[i % 5]} `.repeat(300) + `landmark`,
  })),
];

const shown = `document.querySelectorAll("#hits li").length`;
const focused = "document.activeElement";

/** Types something, and waits until it was searched as a whole: on a slow machine its parts are, too. */
async function typeWhole(tab: TestPage, text: string, whole = text): Promise<void> {
  await tab.type(text);
  for (const what of ["suggest", "search"]) {
    const path = `/api/${what}?${new URLSearchParams({ q: whole })}&`;
    await tab.sees(`performance.getEntriesByType("resource").some(({ name }) =>
      name.includes(${JSON.stringify(path)}))`);
  }
}

Deno.test("the search page", async (t) => {
  await using browser = await openBrowser("the search page");
  if (!browser) return;
  using scratch = new Scratch();
  const data = scratch.write(
    "data.jsonl",
    ENTRIES.map((entry) => JSON.stringify(entry)).join("\n"),
  );
  const args = ["--data", data, "--http"];
  const where = formatAddress(ownAddress());
  let server = await startAppServer([...args, where]);
  const url = pagesOf(server);
  const tab = await browser.open(url);
  try {
    await t.step(
      "shows results as one types, with highlights, and puts the query into the URL",
      async () => {
        await tab.sees(`${focused}.id === "q"`);
        await tab.type("white rab");
        await tab.reads("#hits li h2", "White Rabbit");
        await tab.reads("#status", "1 result");
        assertEquals(await tab.text("#hits mark"), "White");
        await tab.sees(`location.search === "?q=white+rab"`);
        await tab.reads("#suggestions [role=option]", "White Rabbit");
        assertEquals(await tab.barriers(), []);
      },
    );

    await t.step("follows a hit to its whole text, and goes back to where one was", async () => {
      await tab.press("Escape");
      await tab.click("#hits a");
      await tab.reads("#entry .text", "It knows the way.");
      await tab.sees(`location.pathname === "/entry/rabbit" && ${shown} === 0`);
      await tab.sees(`${focused}.textContent === "White Rabbit"`);
      assertEquals(await tab.barriers(), []);
      await tab.page.goBack();
      await tab.sees(`${shown} === 1 && ${focused} === document.querySelector("#hits a")`);
      assertEquals(await tab.value("document.querySelector('#q').value"), "white rab");
      await tab.page.goForward();
      await tab.reads("#entry .text", "It knows the way.");
      await tab.page.reload();
      await tab.reads("#entry .text", "It knows the way.");
    });

    await t.step("says what it corrected, and undoes it", async () => {
      await tab.goto(`${url}?q=whitte+rabit`);
      await tab.reads("#corrected", "Results for white rabbit. Search only for whitte rabit.");
      await tab.click("#corrected > a");
      await tab.reads("#status", "No match for “whitte rabit”.");
      await tab.sees(`location.search.includes("exact=true")`);
      await tab.click("#corrected > a");
      await tab.reads("#hits li h2", "White Rabbit");
      await tab.goto(`${url}?q=rabbit+xyzzyx`);
      await tab.reads("#corrected", "Left out: xyzzyx.");
    });

    await t.step("has pages, each with a link of its own", async () => {
      await tab.goto(`${url}?q=landmark`);
      await tab.reads("#status", "1–10 of 25 results");
      await tab.click("#paging [rel=next]");
      await tab.reads("#status", "11–20 of 25 results");
      await tab.sees(`location.search === "?q=landmark&offset=10" && scrollY === 0`);
      await tab.page.reload();
      await tab.reads("#status", "11–20 of 25 results");
      await tab.click("#paging [rel=next]");
      await tab.reads("#status", "21–25 of 25 results");
      assertEquals(await tab.count("#paging [rel=next]"), 0);
      await tab.page.goBack();
      await tab.reads("#status", "11–20 of 25 results");
    });

    await t.step("can be used by the keyboard alone", async () => {
      await tab.goto(url);
      await tab.value("document.activeElement.blur()");
      await tab.press("/");
      await tab.sees(`${focused}.id === "q"`);
      await typeWhole(tab, "place");
      await tab.sees(`${focused}.getAttribute("aria-expanded") === "true"`);
      await tab.press("ArrowDown");
      await tab.sees(`document.getElementById(${focused}.getAttribute("aria-activedescendant"))
        ?.getAttribute("aria-selected") === "true"`);
      await tab.press("Escape");
      await tab.sees(`${focused}.getAttribute("aria-expanded") === "false"`);
      await tab.press("ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp");
      await tab.sees(`${focused}.id === "q"`);
      await tab.press("ArrowDown", "ArrowDown");
      const second = await tab.text("#hits li:nth-child(2) h2");
      await tab.press("Enter");
      await tab.reads("#entry h2", second!);
      await tab.press("Escape");
      await tab.sees(`${focused} === document.querySelector("#hits li:nth-child(2) a")`);
      await tab.press("Escape");
      await tab.sees(`${focused}.id === "q"`);
      await tab.press("Escape");
      await tab.sees(`${focused}.value === "" && ${shown} === 0 && location.search === ""`);
      await typeWhole(tab, "One R");
      await tab.sees(`${focused}.getAttribute("aria-expanded") === "true"`);
      await tab.press("ArrowDown", "Enter");
      await tab.reads("#entry .text", "It came to him by chance.");
    });

    await t.step("the newest answer wins, also where an older one comes later", async () => {
      await tab.goto(url);
      const { page } = tab;
      const late = Promise.withResolvers<void>();
      const isOld = (each: string) => each.includes("/api/search?q=ring&");
      await page.setRequestInterception(true);
      page.on("request", (request) => {
        if (isOld(request.url())) void late.promise.then(() => request.continue()).catch(() => {});
        else void request.continue();
      });
      const asked = page.waitForRequest((request) => isOld(request.url()));
      await tab.type("ring");
      await asked;
      await tab.press("Home");
      await typeWhole(tab, "not a ", "not a ring");
      await tab.reads("#status", "result");
      const said = await tab.text("#content");
      late.resolve();
      await tab.value("new Promise((resolve) => setTimeout(resolve, 50))");
      assertEquals(await tab.text("#content"), said);
      page.removeAllListeners("request");
      await page.setRequestInterception(false);
    });

    await t.step("asks who one is, and goes on where one was, with what one may", async () => {
      const token = { name: "seeker", token: hashToken("seek"), actions: { allow: ["search"] } };
      const auth = scratch.write("auth.json", JSON.stringify({ tokens: [token] }));
      await using closed = await innerAppServer([...args, "127.0.0.1:0", "--auth", auth]);
      const tab = await browser.open(`${pagesOf(closed)}?q=ring`);
      for (const [secret, said] of [["wrong", "wrong"], ["seek", undefined]] as const) {
        await tab.sees(`${focused}.id === "login-user"`);
        await tab.press("Tab");
        await tab.type(secret);
        await tab.press("Enter");
        if (said !== undefined) await tab.reads("#login .problem", said);
      }
      await tab.reads("#hits li h2", "One Ring");
      await tab.sees(`${focused}.id === "q"`);
      assertEquals(
        await tab.value("[localStorage.length, sessionStorage.length, document.cookie]"),
        [0, 0, ""],
      );
      await tab.click("#hits a");
      await tab.reads("#status", "seeker may not");
      assertEquals(tab.problems.filter((each) => !/\b40[13]\b/.test(each)), []);
      await tab.close();
    });

    await t.step("shows what is in data as text, whatever it is, and finds any key", async () => {
      await tab.goto(`${url}?q=xylophone`);
      await tab.reads("#hits h2", "<script>window.pwned = 1</script>");
      await tab.click("#hits a");
      await tab.reads("#entry .text", "<img src=x onerror='window.pwned = 3'>");
      assertEquals(await tab.value("location.pathname"), "/entry/a%2Fb%20c%23d%3F%C3%A9");
      await tab.page.reload();
      await tab.reads("#entry h2", "<script>");
      assertEquals(await tab.value("typeof window.pwned"), "undefined");
      assertEquals(await tab.count("#content script, #content img"), 0);
      await tab.goto(`${url}?q=dotted`);
      await tab.click("#hits a");
      await tab.reads("#entry h2", "Two dots");
      await tab.goto(`${url}entry/no-such`);
      await tab.reads("#status", "There is no entry with the key 'no-such'.");
      tab.problems.splice(0, 1, ...tab.problems.slice(0, 1).filter((each) => !/404/.test(each)));
    });

    await t.step("can be asked by a page's own script, over a WebSocket", async () => {
      const script =
        `import("/client.js").then(async ({ connectRequests, jsonFrame, RequestError }) => {
        const client = await connectRequests("/ws");
        const ask = (action) => client.request(jsonFrame(action));
        const answers = await Promise.all(["ring", "rabbit"].map((value) =>
          ask({ action: "get", value }).then((reply) => reply.json().entry.title)
        ));
        const error = await ask({ action: "get", value: "nothing" }).catch((error) => error);
        await client.close();
        return [...answers, error instanceof RequestError && error.code];
      })`;
      assertEquals(await tab.value(script), ["One Ring", "White Rabbit", "not-found"]);
    });

    await t.step(
      "says when the server is gone, and goes on by itself when it is back",
      async () => {
        await tab.goto(`${url}?q=ring`);
        await tab.reads("#hits li h2", "One Ring");
        tab.mayFail = true;
        await server[Symbol.asyncDispose]();
        await tab.value("document.querySelector('#q').focus()");
        await tab.press("End");
        await tab.type(" chance");
        await tab.reads("#status", "The server does not answer. Trying again…");
        server = await startAppServer([...args, where]);
        await tab.reads("#hits li h2", "One Ring");
        await tab.reads("#status", "1 result");
      },
    );

    assertEquals(tab.problems, []);
  } finally {
    await server[Symbol.asyncDispose]();
  }
});
