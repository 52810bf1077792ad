/** How wide the terminal is. */
export const COLUMNS = 92;

/** A command on a terminal of its own. */
export class Terminal {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  #text = "";
  #changed = () => {};

  /** Starts a command line in a folder, which is also where commands are looked for first. */
  constructor(command: string, folder: string) {
    this.#child = new Deno.Command("script", {
      args: ["-qec", `stty cols ${COLUMNS} rows 24; exec ${command}`, "/dev/null"],
      cwd: folder,
      clearEnv: true,
      env: {
        PATH: `${folder}:${Deno.env.get("PATH")}`,
        HOME: Deno.env.get("HOME") ?? folder,
        TERM: "xterm-256color",
        LANG: "C.UTF-8",
      },
      stdin: "null",
      stdout: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  /** Waits for a line that begins like this, or for the end of the command. */
  async wait(ready: string | undefined): Promise<void> {
    if (ready === undefined) return await this.#reading;
    const isReady = () => this.#text.split("\n").slice(0, -1).some((line) => line.includes(ready));
    while (!isReady()) await new Promise<void>((resolve) => this.#changed = resolve);
  }

  /** Takes the lines that were printed since the last time. */
  take(): string[] {
    const lines = this.#text.split("\n");
    this.#text = lines.pop()!;
    return lines;
  }

  async end(): Promise<void> {
    this.#child.kill("SIGTERM");
    await this.#child.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const chunk of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      this.#text += chunk.replaceAll("\r\n", "\n");
      this.#changed();
    }
  }
}
