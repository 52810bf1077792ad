/** Other people's programs that some tests drive where they are installed. */
import { findProgram } from "./find_program.ts";
import { skip } from "./skip.ts";

/** Whether a program can be started; says on stderr what is skipped where it cannot. */
export function isInstalled(name: string, what: string): boolean {
  return programPath(name, what) !== undefined;
}

/** Where a program is; says on stderr what is skipped where it is not. */
export function programPath(name: string, what: string): string | undefined {
  const path = findProgram(name);
  if (path === undefined) skip(`${name} is not installed: ${what}`);
  return path;
}

/** How a tool ended, and what it printed. */
export interface ToolOutput {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** What a tool is started with. */
export interface ToolOptions {
  readonly stdin?: string | Uint8Array | undefined;
  readonly env?: Record<string, string> | undefined;
  /** Whether it gets nothing but `env`. @default {false} */
  readonly clearEnv?: boolean;
  readonly cwd?: string | undefined;
  /** Whom it runs as, where the tests run as root. @default {who runs the tests} */
  readonly uid?: number | undefined;
  /** Long enough for a busy machine; what ends never waits for it. @default {180000} */
  readonly timeoutMs?: number;
}

/** Runs a tool to its end. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<ToolOutput> {
  const { stdin, env = {}, clearEnv = false, cwd, uid, timeoutMs = 180_000 } = options;
  const child = new Deno.Command(command, {
    args: [...args],
    env,
    clearEnv,
    ...(cwd === undefined ? {} : { cwd }),
    ...(uid === undefined ? {} : { uid, gid: uid }),
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
    signal: AbortSignal.timeout(timeoutMs),
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    const bytes = typeof stdin === "string" ? new TextEncoder().encode(stdin) : stdin;
    // A tool that ends without reading all of it is judged by its output.
    writer.write(bytes).then(() => writer.close()).catch(() => {});
  }
  const { code, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}
