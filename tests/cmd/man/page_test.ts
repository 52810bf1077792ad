import { assert, assertEquals } from "@std/assert";
import { runMulti } from "../../../cmd/_cli/multi.ts";
import { program } from "../../../cmd/program.ts";
import { isInstalled, runTool } from "../../support/tools.ts";
import { FakeHost } from "../_cli/fake_host.ts";
import { demoProgram } from "../completions/demo_program.ts";
import { renderCommandPage, renderProgramPage } from "../../../cmd/_cli/man/page.ts";

const hasGroff = isInstalled("groff", "the man page by groff");
const hasMan = isInstalled("man", "the man page by man");

async function printed(...args: string[]): Promise<string> {
  const host = new FakeHost(["man", ...args]);
  assertEquals(await runMulti(program, host), 0, host.errText);
  return host.outText;
}

/** All pages: the program's, and one of each command. */
async function allPages(): Promise<string[]> {
  const commands = program.commands.filter(({ hidden }) => !hidden);
  return [await printed(), ...await Promise.all(commands.map(({ name }) => printed(name)))];
}

Deno.test("groff formats every page without a warning, for each kind of output", async () => {
  if (!hasGroff) return;
  const pages = (await allPages()).join("");
  for (const device of ["ps", "utf8", "ascii", "latin1"]) {
    const { code, out, err } = await runTool("groff", ["-man", "-ww", "-z", `-T${device}`], {
      stdin: pages,
    });
    assertEquals([code, out, err], [0, "", ""], device);
  }
});

Deno.test("man renders the page without a warning and shows every flag", async () => {
  if (!hasMan) return;
  const env = { MANROFFOPT: "-ww", MANWIDTH: "100", MAN_KEEP_FORMATTING: "", LC_ALL: "C.UTF-8" };
  const { code, out, err } = await runTool("man", ["-l", "-"], { stdin: await printed(), env });
  // Where man pages are left out of a system, so is the program; Debian's stand-in says so.
  if (out.includes("has been minimized")) return;
  assertEquals([code, err], [0, ""]);
  for (const entry of program.commands) {
    const { flags } = await entry.load();
    for (const name of Object.keys(flags).filter((name) => !flags[name].hidden)) {
      assert(out.includes(`--${name}`) || out.includes(`--no-${name}`), name);
    }
  }
});

Deno.test("the pages have the sections that readers look for", async () => {
  const subject = {
    program: demoProgram,
    commands: await Promise.all(demoProgram.commands.map(({ load }) => load())),
  };
  const headings = (page: string) =>
    [...page.matchAll(/^\.SH "(.*)"$/gm)].map(([, title]) => title);
  assertEquals(headings(renderProgramPage(subject)), [
    "NAME",
    "SYNOPSIS",
    "COMMANDS",
    "FLAGS",
    "ENVIRONMENT",
    "EXIT STATUS",
  ]);
  assertEquals(headings(renderCommandPage(subject.commands[0]!, subject)), [
    "NAME",
    "SYNOPSIS",
    "ARGUMENTS",
    "FLAGS",
    "OUTPUT FLAGS",
    "GENERAL FLAGS",
    "ENVIRONMENT",
    "EXIT STATUS",
    "SEE ALSO",
  ]);
  const page = renderCommandPage(subject.commands[0]!, subject);
  assert(page.includes("\\fB\\-d\\fR, \\fB\\-\\-data\\fR \\fIPATH\\fR"), page);
  assert(!page.includes("secret"), "a hidden flag is shown");
});

Deno.test("man refuses a command that does not exist", async () => {
  const host = new FakeHost(["man", "app-servr"]);
  assertEquals(await runMulti(program, host), 2);
  assert(host.errText.includes("did you mean app-server?"), host.errText);
});
