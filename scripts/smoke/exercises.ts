import type { Ended, PackedProgram, RunningProgram } from "./packed_program.ts";

/** One thing that a packed program must be able to do. */
export interface Exercise {
  /** The commands that it uses. */
  readonly commands: readonly string[];
  /** @param folder An empty folder for files. @throws if the program fails. */
  run(program: PackedProgram, folder: string): Promise<void>;
}

const ANY_PORT = "127.0.0.1:0";
const PAGES = ["--http", ANY_PORT];

/** A page with the words "a page" on it. */
const PDF = `%PDF-1.4
1 0 obj << /Type /Catalog /Pages 2 0 R >> endobj
2 0 obj << /Type /Pages /Kids [3 0 R] /Count 1 >> endobj
3 0 obj << /Type /Page /Parent 2 0 R /MediaBox [0 0 99 99] /Contents 4 0 R
  /Resources << /Font << /F 5 0 R >> >> >> endobj
4 0 obj << /Length 33 >> stream
BT /F 9 Tf 9 9 Td (a page) Tj ET 
endstream endobj
5 0 obj << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> endobj
trailer << /Root 1 0 R >>`;

/** A document with the words "a letter". */
const DOCX = [
  "UEsDBBQAAAAIAAAAIQAOEUTZJwAAADcAAAARAAAAd29yZC9kb2N1bWVudC54bWyzKbdKyU8uzU3N",
  "K7GzKbcqABEldokKOaklJalFNvogHogsAJNwpQBQSwECFAMUAAAACAAAACEADhFE2ScAAAA3AAAA",
  "EQAAAAAAAAAAAAAAgAEAAAAAd29yZC9kb2N1bWVudC54bWxQSwUGAAAAAAEAAQA/AAAAVgAAAAAA",
].join("");

/** Together these use each command, each worker and each package once. */
export const EXERCISES: readonly Exercise[] = [
  { commands: ["completions", "man"], run: printTables },
  { commands: ["echo-server", "echo-client"], run: echo },
  { commands: ["multiconn-server", "multiconn-client", "load"], run: load },
  { commands: ["app-server", "app-client", "index"], run: search },
  { commands: ["broker", "pub", "sub"], run: publishAndSubscribe },
  { commands: ["health"], run: serveHttp },
  { commands: ["stream"], run: keepStreams },
  { commands: ["inspect"], run: inspect },
  { commands: ["tap"], run: tap },
  { commands: ["wireshark"], run: printDissector },
  { commands: ["replay"], run: replay },
  { commands: ["proxy"], run: relay },
];

async function printTables(program: PackedProgram): Promise<void> {
  const script = await program.run(["completions", "bash"]);
  expect("completions bash", script, { out: "complete -F _socktool socktool" });
  expect("man", await program.run(["man"]), { out: '.SH "SYNOPSIS"' });
}

async function printDissector(program: PackedProgram, folder: string): Promise<void> {
  expect("wireshark", await program.run(["wireshark"]), { out: 'Proto("socktool"' });
  const install = ["wireshark", "--install", "--folder", folder];
  expect("wireshark --install", await program.run(install), {});
}

async function replay(program: PackedProgram, folder: string): Promise<void> {
  const file = `${folder}/echo.pcapng`;
  await using recorded = await program.serve(["echo-server", ANY_PORT, "--record", file]);
  const answer = await program.run(["echo-client", recorded.address, "again"]);
  expect("echo-client", answer, { out: "again" });
  expect("echo-server --record", await recorded.stop(), {});
  await using server = await program.serve(["echo-server", ANY_PORT]);
  const played = await program.run(["replay", file, "--to", server.address, "--check"]);
  expect("replay", played, { err: "0 differences" });
  expect("echo-server", await server.stop(), {});
}

async function tap(program: PackedProgram, folder: string): Promise<void> {
  await using server = await program.serve(["echo-server", ANY_PORT]);
  const recording = ["--record", `${folder}/tap.pcapng`];
  await using relay = await program.serve(["tap", ANY_PORT, server.address, "--raw", ...recording]);
  const answer = await program.run(["echo-client", relay.address, "seen"]);
  expect("echo-client through tap", answer, { out: "seen" });
  expect("tap", await relay.stop(), {});
  expect("echo-server", await server.stop(), {});
  const file = await program.run(["inspect", `${folder}/tap.pcapng`, "--show", "conversations"]);
  expect("inspect of a recording", file, { out: "closed after" });
}

async function inspect(program: PackedProgram): Promise<void> {
  // A stream of bytes: a header that says that no content follows.
  const header = '{"byteorder":"big","content-type":"t","content-encoding":"binary",' +
    '"content-length":0,"op":"ping"}';
  const frame = `\0${String.fromCharCode(header.length)}${header}`;
  expect("inspect", await program.run(["inspect", "-"], frame), { out: "#1 > ping" });
}

async function echo(program: PackedProgram): Promise<void> {
  await using server = await program.serve(["echo-server", ANY_PORT]);
  const text = "hello, universe ".repeat(10_000);
  const answer = await program.run(["echo-client", server.address, "-"], text);
  expect("echo-client", { ...answer, out: String(answer.out === text) }, { out: "true" });
  expect("echo-server", await server.stop(), {});
}

async function relay(program: PackedProgram): Promise<void> {
  await using server = await program.serve(["echo-server", ANY_PORT]);
  await using proxy = await program.serve(["proxy", ANY_PORT, server.address]);
  const answer = await program.run(["echo-client", proxy.address, "through"]);
  expect("proxy", answer, { out: "through" });
  expect("proxy", await proxy.stop(), {});
}

async function load(program: PackedProgram): Promise<void> {
  const threads = Deno.build.os === "linux" ? ["--workers", "2"] : [];
  await using server = await program.serve(["multiconn-server", ANY_PORT, ...threads]);
  const tutorial = await program.run(["multiconn-client", server.address, "2"]);
  expect("multiconn-client", tutorial, { out: "closing connection" });
  const measured = await program.run([
    ...["load", server.address, "8"],
    ...["--size", "1KiB", "--count", "100", "--workers", "2", "--json"],
  ]);
  expect("load", measured, { out: '"messages":800' });
  expect("multiconn-server", await server.stop(), {});
}

async function search(program: PackedProgram, folder: string): Promise<void> {
  await Deno.writeTextFile(`${folder}/hole.html`, "<title>Hole</title><p>a white rabbit</p>");
  await Deno.writeTextFile(`${folder}/.socktoolignore`, "*.db*");
  await Deno.writeTextFile(`${folder}/yaml.md`, "---\ntitle: Yaml\n---\ntext");
  await Deno.writeTextFile(`${folder}/toml.md`, '+++\ntitle = "Toml"\n+++\ntext');
  await Deno.writeTextFile(`${folder}/page.pdf`, PDF);
  await Deno.writeFile(`${folder}/letter.docx`, Uint8Array.fromBase64(DOCX));
  const index = `${folder}/index.db`;
  const data = ["--data", folder, "--index", index, "--exclude", "*.tmp"];
  await using server = await program.serve(["app-server", ANY_PORT, ...data, ...PAGES]);
  const found = await program.run(["app-client", server.address, "search", "rab*", "--limit", "1"]);
  expect("app-client", found, { out: "hole.html" });
  await expectPages(server, {
    "/": "/search.js",
    "/search.js": "/api/search",
    "/search.css": "color-scheme",
    "/api/search?q=rab*": "hole.html",
    "/api/stats": '"app-server"',
    "/readyz": '"ok"',
  });
  const repeated = await program.run(
    ["app-client", server.address, "search", "rabbit", "--repeat", "100", "--pipeline", "10"],
  );
  expect("app-client with --repeat", repeated, { err: "100 answers" });
  const request = JSON.stringify({ action: "search", value: "rabbit" });
  const loaded = await program.run(
    ["load", server.address, "4", "--protocol", "frames", "--request", request, "--count", "5"]
      .concat("--workers", "2", "--json"),
  );
  expect("load --protocol frames", loaded, { out: '"answered":20' });
  const copy = `${folder}/copy.db`;
  expect("index backup", await program.run(["index", "backup", index, copy]), {});
  expect("index check", await program.run(["index", "check", copy]), {
    err: "is whole: 5 entries",
  });
  expect("app-server", await server.stop(), {});
}

async function publishAndSubscribe(program: PackedProgram): Promise<void> {
  await using broker = await program.serve(["broker", ANY_PORT, ...PAGES]);
  await expectPages(broker, {
    "/": "/live.js",
    "/live.js": "/api/stats",
    "/live.css": "color-scheme",
    "/client.js": "connectBroker",
    "/api/stats": '"clients"',
  });
  const at = ["--server", broker.address];
  const sent = await program.run(["pub", "weather.oslo", "rain", "--retain", "--confirm", ...at]);
  expect("pub", sent, {});
  const received = await program.run(["sub", "weather.*", "--retained", "--count", "1", ...at]);
  expect("sub", received, { out: "rain" });
  await using _answering = program.start(["sub", "ping", "--reply", "echo pong", ...at]);
  await receiverOf("ping", program, at);
  const answer = await program.run(["pub", "ping", "", "--request", ...at]);
  expect("pub --request", answer, { out: "pong" });
  expect("broker", await broker.stop(), {});
}

async function serveHttp(program: PackedProgram): Promise<void> {
  for (const name of ["broker", "app-server"]) {
    await using server = await program.serve([name, ANY_PORT, "--http", ANY_PORT]);
    const pages = /^pages on (\S+)$/m.exec(server.messages)![1]!;
    const { host } = new URL(pages);
    expect(`health of ${name}`, await program.run(["health", host, "--ready"]), { out: "is ok" });
    const figures = await (await fetch(`${pages}metrics`)).text();
    expect(`/metrics of ${name}`, { code: 0, out: figures, err: "" }, {
      out: "socktool_build_info",
    });
    const at = `ws://${host}/ws`;
    const [args, out] = name === "broker"
      ? [["pub", "a.b", "over WebSocket", "--confirm", "-s", at], "0 receivers"]
      : [["app-client", at, "search", "morpheus"], "white rabbit"];
    expect(`${name} over WebSocket`, await program.run(args as string[]), { out: out as string });
    expect(name, await server.stop(), {});
  }
}

async function keepStreams(program: PackedProgram, folder: string): Promise<void> {
  const store = ["--store", `${folder}/store`];
  await using broker = await program.serve(["broker", ANY_PORT, ...store]);
  const at = ["--server", broker.address];
  expect("stream create", await program.run(["stream", "create", "orders", "orders.>", ...at]), {});
  for (const text of ["crates", "lamps"]) {
    expect("pub", await program.run(["pub", "orders.new", text, "--stored", ...at]), {});
  }
  const kept = await program.run(
    ["sub", "orders.>", "--stream", "orders", "--from", "all", "--count", "2", ...at],
  );
  expect("sub --stream", kept, { out: "lamps" });
  const worked = await program.run(
    ["sub", "--stream", "orders", "--consumer", "billing", "--each", "cat", "--count", "2", ...at],
  );
  expect("sub --consumer", worked, {});
  const copy = await program.run(["stream", "backup", `${folder}/copy.db`, ...store]);
  expect("stream backup", copy, {});
  expect("broker", await broker.stop(), {});
  expect("stream verify", await program.run(["stream", "verify", ...store]), {});
}

/** Checks that pages have these texts. */
async function expectPages(
  server: RunningProgram,
  texts: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [path, part] of Object.entries(texts)) {
    const text = await server.page(path);
    if (!text.includes(part)) throw new Error(`${path} has no ${part}: ${text.slice(0, 500)}`);
  }
}

/** Waits until a client has subscribed to a topic. */
async function receiverOf(
  topic: string,
  program: PackedProgram,
  at: readonly string[],
): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    const { code, out, err } = await program.run(["pub", topic, "", "--confirm", ...at]);
    if (code === 0 && /[1-9]/.test(out)) return;
    if (code !== 0) throw new Error(`pub --confirm ended with exit code ${code}: ${err}`);
  }
  throw new Error(`Nobody subscribed to ${topic}`);
}

/** Checks that a command succeeded, and that its output has these texts. */
function expect(what: string, ended: Ended, texts: { out?: string; err?: string }): void {
  const { code, out, err } = ended;
  if (code === 0 && out.includes(texts.out ?? "") && err.includes(texts.err ?? "")) return;
  throw new Error(
    `${what} ended with exit code ${code}, stdout ${JSON.stringify(out.slice(-500))}, ` +
      `stderr ${JSON.stringify(err.slice(-500))}; expected exit code 0 and ${
        JSON.stringify(texts)
      }`,
  );
}
