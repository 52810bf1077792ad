/**
 * Runs a bundled entry point with nothing but the Web's own APIs: `run.mjs BUNDLE EXERCISE PORT`,
 * under Deno or Node. Makes streams of a connection to the port first, as a WebSocket gives them to a
 * page, and takes away what is the runtime's own before the bundle is loaded.
 */
const [bundle, exercise, port] = globalThis.Deno?.args ?? globalThis.process.argv.slice(2);
const { streams, exit } = globalThis.Deno ? await inDeno() : await inNode();
for (const name of ["Deno", "process", "Buffer", "global", "require"]) delete globalThis[name];

const { default: run } = await import(exercise);
await run(await import(bundle), streams);
exit(0);

async function inDeno() {
  const { connect, exit } = globalThis.Deno;
  return { streams: await connect({ hostname: "127.0.0.1", port: Number(port) }), exit };
}

async function inNode() {
  const { connect } = await import("node:net");
  const { Duplex } = await import("node:stream");
  const { exit } = globalThis.process;
  return { streams: Duplex.toWeb(connect({ host: "127.0.0.1", port: Number(port) })), exit };
}
