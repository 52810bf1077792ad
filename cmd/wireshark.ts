/** The plugin for Wireshark: `socktool wireshark`. */
import { join } from "node:path";
import { DISSECTOR, DISSECTOR_FILE } from "../lib/capture/wireshark/dissector.ts";
import { defineCommand, describeError, runMain } from "./_cli/mod.ts";

export const command = defineCommand({
  name: "wireshark",
  summary: "print, or install, the plugin with which Wireshark and tshark show frames",
  flags: {
    install: {
      type: "boolean",
      help: "put it into your folder of Wireshark's Lua plugins, in the place of an older one",
    },
    folder: {
      type: "path",
      hint: "folder",
      requires: ["install"],
      help: "the folder of plugins, if it is not the usual one",
    },
  },
  examples: [
    ["socktool wireshark --install", "for this user; Wireshark finds it at its next start"],
    ["socktool wireshark > socktool.lua", "then: tshark -X lua_script:socktool.lua -r s.pcapng"],
    [
      "tshark -r s.pcapng -Y 'socktool.op == \"pub\"' -T fields -e socktool.topic",
      "what it is for",
    ],
  ],
  notes: [
    "Frames are found on ports 5634 and 5635, and on any other TCP port where bytes look like them. " +
    "Fields to filter by: socktool.op, .action, .topic, .id, .code, .content_type, .content_length, " +
    ".text, .broken and .field, which has every other field of a header as NAME: JSON.",
  ],
  async run({ flags }, { out, log }) {
    if (!flags.install) {
      await out.text(DISSECTOR);
      const folder = pluginFolder();
      const where = folder === undefined ? "Wireshark's folder of Lua plugins" : folder;
      log.info(`put it into ${where} as ${DISSECTOR_FILE}, or run socktool wireshark --install`);
      return;
    }
    const folder = flags.folder ?? pluginFolder();
    if (folder === undefined) {
      throw new Error(
        "cannot find your folder of plugins: name it by --folder (Wireshark shows " +
          "it under Help > About Wireshark > Folders)",
      );
    }
    const path = join(folder, DISSECTOR_FILE);
    try {
      await Deno.mkdir(folder, { recursive: true });
      await Deno.writeTextFile(path, DISSECTOR);
    } catch (error) {
      throw new Error(describeError(error, `write ${path}`), { cause: error });
    }
    log.info(`installed as ${path}; Wireshark and tshark find it at their next start`);
  },
});

/** The folder of a user's Lua plugins; `undefined` where nothing says whose. */
function pluginFolder(): string | undefined {
  if (Deno.build.os === "windows") {
    const data = Deno.env.get("APPDATA");
    return data && join(data, "Wireshark", "plugins");
  }
  const home = Deno.env.get("HOME");
  return home && join(home, ".local", "lib", "wireshark", "plugins");
}

if (import.meta.main) await runMain(command);
