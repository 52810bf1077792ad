import source from "./socktool.lua" with { type: "text" };

/**
 * A plugin in Lua with which Wireshark and tshark show frames. The text is a whole file, to be put
 * into Wireshark's folder of Lua plugins under {@linkcode DISSECTOR_FILE}.
 */
export const DISSECTOR: string = source;

/** What the plugin's file is called. */
export const DISSECTOR_FILE = "socktool.lua";
