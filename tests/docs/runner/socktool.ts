/**
 * The program of this checkout as the pages' blocks call it. Its default addresses have the ports of
 * `DOCS_PORTS` (`PAGE=REAL,…`), and the file that `DOCS_LISTENING` names appears when it listens.
 */
import { runMulti } from "../../../cmd/_cli/multi.ts";
import type { ArgumentTable, FlagTable } from "../../../cmd/_cli/mod.ts";
import { program } from "../../../cmd/program.ts";

const ports = new Map(
  (Deno.env.get("DOCS_PORTS") ?? "").split(",").map((pair) => pair.split("=") as [string, string]),
);
const listening = Deno.env.get("DOCS_LISTENING");

for (const name of ["listen", "listenTls"] as const) {
  const listen = Deno[name] as (options: Deno.ListenOptions) => Deno.Listener;
  Object.defineProperty(Deno, name, {
    value(options: Deno.ListenOptions) {
      const listener = listen(options);
      if (listening !== undefined) Deno.writeTextFileSync(listening, "");
      return listener;
    },
  });
}

function moved(table: FlagTable | ArgumentTable): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(table).map(([name, spec]) => {
      if (spec.type !== "address" || spec.default === undefined) return [name, spec];
      const at = spec.default.replace(/\d+$/, (port: string) => ports.get(port) ?? port);
      return [name, { ...spec, default: at }];
    }),
  );
}

const commands = program.commands.map((entry) => ({
  ...entry,
  async load() {
    const command = await entry.load();
    return { ...command, flags: moved(command.flags), arguments: moved(command.arguments) };
  },
}));
Deno.exit(await runMulti({ ...program, commands }));
