/** A real browser for the tests of pages. */
import { createHash, X509Certificate } from "node:crypto";
import axe from "axe-core";
import { type Browser, launch, type Page } from "puppeteer-core";
import { deadline, pause, until } from "./deadline.ts";
import { isFile } from "./find_program.ts";
import { SERVER_TLS } from "./tls.ts";
import { programPath } from "./tools.ts";

/** Where Chromium, or Chrome, may be; `SOCKTOOL_CHROMIUM` names another. */
const PLACES = [
  Deno.env.get("SOCKTOOL_CHROMIUM"),
  "/usr/bin/chromium",
  "/usr/bin/google-chrome",
  "/usr/bin/chromium-browser",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe",
];

/** Shown besides what the page does: what the browser itself says when a server is gone, or not ready. */
const GONE =
  /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|WebSocket connection|status of 503/;

/**
 * When a page closes, Puppeteer waits for 100 ms whether another one takes its place, and nothing ends
 * that sooner. Its timer would be left over.
 */
const SWAP_MS = 150;

/** How often a page is asked what it shows: each time takes a millisecond of several processes. */
const LOOK_MS = 25;

/** Starts a browser; `undefined`, and a line on stderr, where there is none. */
export async function openBrowser(what: string): Promise<TestBrowser | undefined> {
  const executablePath = PLACES.find((path) => path !== undefined && isFile(path)) ??
    programPath("chromium", what);
  if (executablePath === undefined) return undefined;
  const isRoot = Deno.build.os !== "windows" && Deno.uid() === 0;
  return new TestBrowser(
    await launch({
      executablePath,
      args: [
        "--disable-gpu",
        "--disable-dev-shm-usage",
        // Of all certificates that no authority of the system has signed, the tests' own alone.
        `--ignore-certificate-errors-spki-list=${keyHash(SERVER_TLS.cert)}`,
        ...isRoot ? ["--no-sandbox"] : [],
      ],
    }),
  );
}

/** A browser that runs. */
export class TestBrowser implements AsyncDisposable {
  readonly #browser: Browser;

  constructor(browser: Browser) {
    this.#browser = browser;
  }

  /** Opens a page of its own kind: nothing is shared with others. */
  async open(url: string): Promise<TestPage> {
    const context = await this.#browser.createBrowserContext();
    const page = new TestPage(await context.newPage());
    await page.goto(url);
    return page;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#browser.close();
    await pause(SWAP_MS);
  }
}

/** A page, and what it said on the console. */
export class TestPage {
  readonly page: Page;
  /** Errors and warnings on the console, exceptions, and whatever a policy of the server has refused. */
  readonly problems: string[] = [];
  /** Whether the server may be gone. */
  mayFail = false;

  constructor(page: Page) {
    this.page = page;
    page.on("console", (message) => {
      const type = message.type();
      if (type === "error" || type === "warn") this.#note(`${type}: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.#note(`exception: ${error}`));
    page.on("dialog", (dialog) => this.#note(`dialog: ${dialog.message()}`));
  }

  async close(): Promise<void> {
    await this.page.browserContext().close();
  }

  async goto(url: string): Promise<void> {
    await deadline(this.page.goto(url), url);
  }

  /** The value of an expression in the page. */
  async value<T>(expression: string): Promise<T> {
    return await deadline(this.page.evaluate(expression), expression) as T;
  }

  /** Waits until an expression is true in the page. */
  async sees(expression: string): Promise<void> {
    const holds = () => this.value<boolean>(`Boolean(${expression})`);
    await until(holds, expression, undefined, LOOK_MS);
  }

  /** Waits until the text of an element has a part. */
  async reads(selector: string, part: string): Promise<void> {
    try {
      await this.sees(
        `document.querySelector(${JSON.stringify(selector)})?.textContent.includes(${
          JSON.stringify(part)
        })`,
      );
    } catch (error) {
      throw new Error(`${selector} says ${JSON.stringify(await this.text(selector))}`, {
        cause: error,
      });
    }
  }

  /** The text of an element. */
  text(selector: string): Promise<string | undefined> {
    return this.value(`document.querySelector(${JSON.stringify(selector)})?.textContent`);
  }

  /** How many elements there are. */
  count(selector: string): Promise<number> {
    return this.value(`document.querySelectorAll(${JSON.stringify(selector)}).length`);
  }

  /** Clicks an element, once it is there, wherever it is: figures that come may move it. */
  async click(selector: string): Promise<void> {
    const element = `document.querySelector(${JSON.stringify(selector)})`;
    await this.sees(element);
    await this.value(`${element}.focus(), ${element}.click()`);
  }

  /** Presses keys, one after the other. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) await this.page.keyboard.press(key as "Enter");
  }

  /** Types into what has the focus. */
  type(text: string): Promise<void> {
    return this.page.keyboard.type(text);
  }

  async look(width: number, scheme: "light" | "dark"): Promise<void> {
    await this.page.setViewport({ width, height: 800 });
    await this.page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
  }

  /** What hinders people with disabilities, by axe; in both color schemes, and on a narrow screen. */
  async barriers(): Promise<string[]> {
    const found: string[] = [];
    if (!await this.value("'axe' in window")) await this.page.evaluate(axe.source);
    for (const scheme of ["light", "dark"] as const) {
      await this.look(320, scheme);
      const wide = await this.value<number>("document.documentElement.scrollWidth");
      if (wide > 320) found.push(`the page is ${wide} pixels wide on a screen of 320`);
      await this.look(1_280, scheme);
      // Apart from colors, both schemes are the same.
      const rules = scheme === "dark" ? `{ runOnly: ["color-contrast"] }` : "{}";
      found.push(
        ...await this.value<string[]>(
          `axe.run(${rules}).then(({ violations }) => violations.flatMap(
          ({ id, nodes }) => nodes.map(({ html, failureSummary }) =>
            ${JSON.stringify(scheme)} + " " + id + ": " + html + " " + failureSummary)))`,
        ),
      );
    }
    return found;
  }

  #note(problem: string): void {
    if (!this.mayFail || !GONE.test(problem)) this.problems.push(problem);
  }
}

function keyHash(certificate: string): string {
  const { publicKey } = new X509Certificate(certificate);
  const bytes = publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(bytes).digest("base64");
}
