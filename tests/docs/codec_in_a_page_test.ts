/** The example with the codec in a page, in a real browser. */
import { assert, assertStringIncludes } from "@std/assert";
import { encodeFrame } from "../../lib/frame/mod.ts";
import { denoBundle } from "../../scripts/pack/bundle.ts";
import { ROOT } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { isInstalled, runTool } from "../support/tools.ts";

Deno.test({
  name: "the example codec_in_a_page.html shows a frame's bytes, and decodes them",
  ignore: !isInstalled("chromium", "the codec in a page"),
  async fn() {
    const page = `${ROOT}docs/examples/codec_in_a_page.html`;
    assert(Deno.readTextFileSync(page).trimEnd().split("\n").length < 60);
    using scratch = new Scratch();
    await denoBundle(["lib/frame/mod.ts"], scratch.path, "browser");
    const files: Record<string, [file: string, type: string]> = {
      "/": [page, "text/html"],
      "/frame.js": [scratch.at("mod.js"), "text/javascript"],
    };
    await using server = Deno.serve(
      { port: 0, hostname: "127.0.0.1", onListen() {} },
      (request) => {
        const found = files[new URL(request.url).pathname];
        if (found === undefined) return new Response(null, { status: 404 });
        return new Response(Deno.readFileSync(found[0]), { headers: { "content-type": found[1] } });
      },
    );
    const { code, out, err } = await runTool("chromium", [
      ...["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000"],
      ...[`--user-data-dir=${scratch.at("profile")}`, "--dump-dom"],
      `http://127.0.0.1:${server.addr.port}/`,
    ]);
    if (code !== 0) throw new Error(err);
    const frame = encodeFrame({ header: { op: "pub", topic: "a.b" }, content: "two crates 📦" });
    const shown = out.replaceAll(/<\/?b>/g, "");
    assertStringIncludes(
      shown,
      [...frame].map((byte) => byte.toString(16).padStart(2, "0")).join(" "),
    );
    assertStringIncludes(shown, '"topic": "a.b"\n}\n\ntwo crates 📦');
  },
});
