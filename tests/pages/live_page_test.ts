/** The live page in a real browser. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { serveEcho } from "../../lib/echo/mod.ts";
import { addressOf } from "../../lib/net/address_of.ts";
import { dial, formatAddress } from "../../lib/net/mod.ts";
import { connectBroker, hashPassword } from "../../lib/pubsub/mod.ts";
import { openBrowser } from "../support/browser.ts";
import { ownAddress } from "../support/own_address.ts";
import { innerAppServer, InnerServer, ServerProgram } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { TLS_FILES } from "../support/tls.ts";
import { ChatSite, say } from "./chat_site.ts";
import { pagesOf } from "./pages_of.ts";

const PROGRAM = new URL("../../cmd/socktool.ts", import.meta.url).pathname;

const startBroker = (...args: readonly string[]) =>
  ServerProgram.start(["run", "-A", PROGRAM, "broker", ...args]);

const listed = `document.querySelectorAll("#tap-list li").length`;

Deno.test("the live page", async (t) => {
  await using browser = await openBrowser("the live page");
  if (!browser) return;
  using scratch = new Scratch();
  const store = ["--store", scratch.at("store"), "--stream", "ORDERS=orders.>"];
  await using site = new ChatSite();
  const allow = ["--allow-origin", site.origin];
  const pages = ["--http", formatAddress(ownAddress())];
  let broker = await startBroker(":0", ...store, ...allow, ...pages);
  const { address } = broker;
  const url = pagesOf(broker);
  const tab = await browser.open(url);
  try {
    await t.step(
      "shows the broker's figures, its clients, topics, streams and consumers",
      async () => {
        await tab.reads("#title", "socktool broker");
        await tab.sees(`location.pathname === "/live"`);
        await using client = await connectBroker(address, { name: "a <b>bold</b> client" });
        await client.subscribe("orders.*", { group: "billing", onMessage() {} });
        await client.publishStored("orders.new", "one");
        const consumption = client.consume("ORDERS", "invoices", { onMessage() {} });
        await tab.reads("#tables", "a <b>bold</b> client");
        await tab.reads("#tables", "billing: 1");
        await tab.reads("#tables", "ORDERS / invoices");
        await tab.sees(`document.querySelectorAll("#charts canvas").length === 6`);
        await tab.sees(`[...document.querySelectorAll("#tiles div")]
        .some((tile) => tile.textContent === "Connections1")`);
        await consumption.stop();
      },
    );

    await t.step("taps a filter, and publishes by hand", async () => {
      await tab.click("#tap-filter");
      await tab.type("orders.>");
      await tab.press("Enter");
      await tab.reads("#tap-state", "Listening to orders.>: 0 came.");
      await tab.click("#publish-topic");
      await tab.type("orders.paid");
      await tab.press("Tab");
      await tab.type("<img src=x onerror='window.pwned = 1'>");
      await tab.press("Tab", "Tab", "Enter");
      await tab.reads("#publish-state", "Published to orders.paid: 1 receiver.");
      await tab.reads("#tap-list", "<img src=x onerror='window.pwned = 1'>");
      assertEquals(await tab.value("typeof window.pwned"), "undefined");
      assertEquals(await tab.barriers(), []);
    });

    await t.step("counts what it is too slow for, and shows it", async () => {
      await using client = await connectBroker(address);
      const count = 6_000;
      for (let i = 0; i < count; i++) void client.publish("orders.flood", "x".repeat(100));
      await client.flush();
      const said = `document.querySelector("#tap-state").textContent
        .match(/: ([\\d,]+) came, ([\\d,.]+)( k)? missed/)`;
      await tab.sees(said);
      await tab.sees(`/Delivery delay: Median [\\d.]+ m?s/.test(
        [...document.querySelectorAll("#charts [role=img]")].map((chart) => chart.ariaLabel).join())`);
      const total =
        `${said}.slice(1, 3).reduce((sum, each) => sum + Number(each.replace(",", "")), 0)`;
      await tab.sees(`${total} === ${count + 1}`);
      assert(await tab.value<number>(listed) <= 100);
    });

    await t.step("says what is wrong with a filter or a topic", async () => {
      await tab.click("#tap-button");
      await tab.reads("#tap-state", "Stopped");
      await tab.value(`document.querySelector("#tap-filter").value = ""`);
      await tab.click("#tap-filter");
      await tab.type("a..b");
      await tab.press("Enter");
      await tab.reads("#tap-state", "a..b");
      await tab.value(`document.querySelector("#publish-topic").value = "orders.*"`);
      await tab.click("#publish button");
      await tab.reads("#publish-state", "orders.*");
      await tab.value(`document.querySelector("#tap-filter").value = "orders.>"`);
      await tab.click("#tap-button");
      await tab.reads("#tap-state", "Listening to orders.>");
    });

    const chats = [await site.open(browser, url), await site.open(browser, url)] as const;

    await t.step(
      "is beside the chat of docs/browser.md, which two pages of another origin have",
      async () => {
        for (const chat of chats) await chat.reads("p", "connected");
        await say(chats[0], "Ada L.", "Hello <b>there</b>");
        for (const chat of chats) await chat.reads("li", "Ada_L_: Hello <b>there</b>");
        await tab.reads("#tables", "chat.*");
      },
    );

    await t.step(
      "says when the broker is gone, and goes on by itself when it is back",
      async () => {
        for (const each of [tab, ...chats]) each.mayFail = true;
        broker.kill("SIGKILL");
        await broker.finished();
        await tab.reads("#state", "The server does not answer. Trying again…");
        for (const chat of chats) await chat.reads("p", "reconnecting");
        broker = await startBroker(":0", ...store, ...allow, ...pages);
        await tab.reads("#state", "Up");
        await tab.reads("#tap-list", "missed: while there was no connection");
        await using client = await connectBroker(broker.address);
        await client.publish("orders.after", "all is well");
        await tab.reads("#tap-list", "all is well");
        for (const chat of chats) await chat.reads("p", "connected");
        await say(chats[1], "Bob", "Back again");
        for (const chat of chats) await chat.reads("li", "Bob: Back again");
      },
    );

    await t.step("of the search app, shows searches and the state of the index", async () => {
      await using server = await innerAppServer(["--http", "127.0.0.1:0"]);
      const tab = await browser.open(`${pagesOf(server)}live`);
      await tab.reads("#title", "socktool app-server");
      await tab.reads("#tables", "Ready");
      await fetch(`${pagesOf(server)}api/search?q=rabbit`).then((reply) => reply.body?.cancel());
      await tab.sees(`document.querySelector("#charts [role=img]").getAttribute("aria-label")
        .startsWith("Requests a second: Searches 0")`);
      assertEquals(await tab.barriers(), []);
      assertEquals(tab.problems, []);
    });

    await t.step("over TLS, asks who one is, and lets everybody do what they may", async () => {
      const auth = scratch.write(
        "auth.json",
        JSON.stringify({
          users: [{
            name: "ada",
            password: await hashPassword("secret ü"),
            publish: { allow: ["orders.>", "_sys.>"] },
            subscribe: { allow: ["orders.>"] },
          }],
        }),
      );
      const tls = ["--tls-cert", TLS_FILES.cert, "--tls-key", TLS_FILES.key];
      await using server = await InnerServer.start(
        ["broker", ":0", "--auth", auth, "--http", "127.0.0.1:0", ...tls],
      );
      assertMatch(pagesOf(server), /^https:/);
      const tab = await browser.open(`${pagesOf(server)}live`);
      await tab.sees(`document.activeElement.id === "login-user"`);
      assertEquals(await tab.barriers(), []);
      const logIn = async (user: string, secret: string) => {
        await tab.sees(`document.activeElement.id === "login-user"`);
        await tab.type(user);
        await tab.press("Tab");
        await tab.type(secret);
        await tab.press("Enter");
      };
      await logIn("", "no tökén");
      await tab.reads("#login .problem", "A token has no spaces");
      await logIn("ada", "wrong");
      await tab.reads("#login .problem", "wrong");
      await logIn("ada", "secret ü");
      await tab.reads("#tables", "Nobody is connected");
      const publish = async (topic: string) => {
        await tab.value(
          `document.querySelector("#publish-topic").value = ${JSON.stringify(topic)}`,
        );
        await tab.click("#publish button");
      };
      const tap = async (filter: string) => {
        await tab.value(`document.querySelector("#tap-filter").value = ${JSON.stringify(filter)}`);
        await tab.click("#tap-button");
      };
      await tap("orders.>");
      await tab.reads("#tap-state", "Listening to orders.>");
      await tab.value(`document.querySelector("#publish-content").value = "by wss"`);
      await publish("orders.new");
      await tab.reads("#publish-state", "Published to orders.new: 1 receiver.");
      await tab.reads("#tap-list", "by wss");
      await tab.click("#tap-button");
      await tab.reads("#tap-state", "Stopped: 1 came.");
      await publish("secrets.new");
      await tab.reads("#publish-state", "ada may not publish to");
      await tap("secrets.>");
      await tab.reads("#tap-state", "ada may not subscribe to");
      assertEquals(tab.problems.filter((each) => !each.includes("401")), []);
    });

    await t.step("of a proxy, shows what faults do, and sets and clears them", async () => {
      await using echo = await serveEcho("127.0.0.1:0");
      const upstream = formatAddress(echo.address);
      await using proxy = await InnerServer.start(
        ["proxy", ":0", upstream, "--http", ":0", "--seed", "1"],
      );
      await proxy.printed("token ");
      const tab = await browser.open(pagesOf(proxy));
      await tab.sees(`document.activeElement.id === "login-secret"`);
      assertEquals(await tab.barriers(), []);
      await tab.type("wrong");
      await tab.press("Enter");
      await tab.reads("#login .problem", "Give the token that the proxy has printed");
      await tab.type(/^token (\S+)$/m.exec(proxy.err)![1]!);
      await tab.press("Enter");
      await tab.reads("#title", "socktool proxy");
      await tab.reads("#faults-list", "None was ever set.");
      const add = async (fault: string) => {
        await tab.click("#fault-text");
        await tab.type(fault);
        await tab.press("Enter");
      };
      await add("up corrupt 100%");
      await tab.reads("#fault-state", "Set: up corrupt 100%");
      await tab.reads("#faults-list", "fired 0 times");
      using client = await dial(proxy.address);
      await client.write(new Uint8Array(3));
      await client.read(new Uint8Array(3));
      await tab.reads("#faults-list", "up corrupt 100%fired 3 times");
      await tab.reads("#tables", "up corrupt 100% (up, byte 2)");
      await tab.reads("#tables", `#1 ${formatAddress(addressOf(client.localAddr))}3 B3 B`);
      await add("<b>up</b> corrupt");
      await tab.reads("#fault-state", "Cannot read the fault");
      assertEquals(await tab.barriers(), []);
      await tab.click("#faults-list button");
      await tab.reads("#faults-list", "was set, 3 times");
      client.close();
      await tab.reads("#tables", "closed: done");
      assertEquals(tab.problems.filter((each) => !/\b40[01]\b/.test(each)), []);
    });

    assertEquals([tab, ...chats].flatMap(({ problems }) => problems), []);
  } finally {
    await broker[Symbol.asyncDispose]();
  }
});
