import { assert } from "@std/assert";
import { parsePage } from "../docs/runner/markdown.ts";
import type { TestBrowser, TestPage } from "../support/browser.ts";
import { ROOT } from "../support/programs.ts";

/** Serves the chat of docs/browser.md, from an address of its own. */
export class ChatSite implements AsyncDisposable {
  readonly origin: string;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** The page, with the address of its broker. */
  #text = "";

  constructor() {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      () => new Response(this.#text, { headers: { "content-type": "text/html" } }),
    );
    this.origin = `http://localhost:${this.#server.addr.port}`;
  }

  /** Opens the chat. @param pages Where the broker has its pages. */
  async open(browser: TestBrowser, pages: string): Promise<TestPage> {
    const path = "docs/browser.md";
    const { blocks } = parsePage(path, await Deno.readTextFile(`${ROOT}${path}`));
    const html = blocks.find(({ language }) => language === "html")!.text;
    assert(html.split("\n").length <= 35);
    const { host } = new URL(pages);
    this.#text = html.replaceAll("127.0.0.1:9090", host);
    assert(this.#text.includes(`ws://${host}/ws`));
    return await browser.open(this.origin);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** Says something in the chat. */
export async function say(chat: TestPage, who: string, what: string): Promise<void> {
  await chat.value(`document.forms[0].who.value = ${JSON.stringify(who)}`);
  await chat.click("[name=text]");
  await chat.type(what);
  await chat.press("Enter");
}
