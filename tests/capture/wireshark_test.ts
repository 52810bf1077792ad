/** The plugin for Wireshark shows what our decoder decodes. tshark is run where it is installed. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import fc from "fast-check";
import { anyName, anyValue } from "../frame/generators.ts";
import { rawFrame } from "../frame/raw_frames.ts";
import { openRecorder } from "../../lib/capture/mod.ts";
import { DISSECTOR } from "../../lib/capture/wireshark/dissector.ts";
import {
  ContentError,
  encodeFrame,
  type Frame,
  FrameDecoder,
  jsonFrame,
} from "../../lib/frame/mod.ts";
import { formatAddress, parseAddress } from "../../lib/net/mod.ts";
import { connectBroker } from "../../lib/pubsub/mod.ts";
import { deadline, until } from "../support/deadline.ts";
import { ROOT, script, ServerProgram, socktool, socktoolProcess } from "../support/programs.ts";
import { Scratch } from "../support/scratch.ts";
import { soakSize } from "../support/soak_size.ts";
import { isInstalled, runTool } from "../support/tools.ts";
import { readAll } from "./packets.ts";

const ignore = !isInstalled("tshark", "the plugin for Wireshark");

/** What the plugin shows of a frame. */
interface Shown {
  readonly header?: string;
  readonly broken?: string;
  /** The fields below the header, and the others. */
  readonly fields: Readonly<Record<string, string | readonly string[]>>;
}

/** Has tshark show the frames of a capture, in order. */
async function shown(scratch: Scratch, path: string): Promise<Shown[]> {
  const plugin = scratch.write("socktool.lua", DISSECTOR);
  const args = ["-X", `lua_script:${plugin}`, "-r", path, "-Y", "socktool"];
  const format = ["-T", "json", "--no-duplicate-keys", "-J", "socktool"];
  const { code, out, err } = await runTool("tshark", [...args, ...format]);
  assertEquals(code, 0, err);
  assert(!/lua|error/i.test(err), err);
  return JSON.parse(out).flatMap((packet: Given) => {
    const layers = packet._source.layers.socktool;
    return (Array.isArray(layers) ? layers : [layers]).map((layer: Given) => ({
      header: layer["socktool.header"],
      broken: layer["socktool.broken"],
      fields: { ...layer, ...layer["socktool.header_tree"] },
    }));
  });
}

// deno-lint-ignore no-explicit-any
type Given = any;

/** What the plugin has to show of frames that our decoder decodes. */
function assertShown(frames: readonly Frame[], seen: readonly Shown[], what: string): void {
  assertEquals(seen.length, frames.length, what);
  for (const [i, frame] of frames.entries()) {
    const { fields } = seen[i]!;
    const { header } = frame;
    const field = (name: string) => fields[`socktool.${name}`];
    assertEquals(
      [field("byteorder"), field("content_type"), field("content_encoding")],
      [header.byteorder, header["content-type"], header["content-encoding"]],
      what,
    );
    assertEquals(field("content_length"), String(header["content-length"]), what);
    const { content } = frame;
    const hex = (field("content") as string | undefined)?.replaceAll(":", "") ?? "";
    assertEquals(hex, content.toHex(), what);
    const text = textOf(frame);
    if (text !== undefined) assertEquals(field("text"), text, what);
    for (const name of ["op", "topic", "id"]) {
      const value = header[name];
      assertEquals(field(name), value === undefined ? undefined : String(value), what);
    }
    assertEquals(field("action"), header["op"] === undefined ? actionOf(frame) : undefined, what);
    // Each further field stands as NAME: JSON.
    const further = [field("field") ?? []].flat();
    const {
      byteorder: _,
      "content-type": _t,
      "content-encoding": _e,
      "content-length": _l,
      ...rest
    } = header;
    const told = further.map((each) => {
      const [, name, json] = /^([^:]*): (.*)$/s.exec(each)!;
      return [name, JSON.parse(json!)];
    });
    assertEquals(told, Object.entries(rest), what);
  }
}

function textOf(frame: Frame): string | undefined {
  if (frame.header["content-encoding"] === "binary" || frame.content.length === 0) return undefined;
  try {
    return frame.text();
  } catch (error) {
    if (error instanceof ContentError) return undefined;
    throw error;
  }
}

function actionOf(frame: Frame): string | undefined {
  if (frame.header["content-type"] !== "text/json") return undefined;
  const text = textOf(frame);
  return text === undefined ? undefined : JSON.parse(text).action;
}

function decode(bytes: Uint8Array): Frame[] {
  const { frames, error } = new FrameDecoder({ maxContentBytes: 16_777_216 }).decode(bytes);
  assertEquals(error, undefined);
  return [...frames];
}

/** Records pieces, each list on a connection of its own to one of the ports. */
function record(
  path: string,
  sessions: readonly (readonly Uint8Array[])[],
  ports: readonly number[],
): void {
  using recorder = openRecorder({ path });
  sessions.forEach((pieces, i) => {
    // Other ports may be known to Wireshark as those of other protocols.
    const client = parseAddress(`127.1.${i >> 8}.${i & 255}:50001`);
    const server = parseAddress(`127.0.0.1:${ports[i % ports.length]}`);
    const connection = recorder.open(client, server);
    for (const piece of pieces) connection.bytes("up", piece);
    connection.ended("up");
    connection.ended("down");
  });
}

const VECTORS = JSON.parse(Deno.readTextFileSync(`${ROOT}tests/vectors/frames.json`));

Deno.test({
  name: "Wireshark shows every frame of the vectors, split at each byte, on any port",
  ignore,
  async fn() {
    using scratch = new Scratch();
    const path = scratch.at("v.pcapng");
    const sessions: Uint8Array[][] = [];
    for (const { frameHex } of VECTORS.valid as { frameHex: string }[]) {
      const bytes = Uint8Array.fromHex(frameHex);
      for (let cut = 1; cut <= bytes.length; cut++) {
        sessions.push([bytes.subarray(0, cut), bytes.subarray(cut)]);
      }
    }
    // Of two ports one is known to the plugin, so that each is split at every other byte: on ports of
    // both kinds at each byte only in the soak.
    const orders = [[5634, 7777, 5635, 7777], [7777, 5634, 7777, 5635]];
    for (const ports of orders.slice(0, soakSize(1, 2))) {
      record(path, sessions, ports);
      const frames = sessions.flatMap(([head, rest]) =>
        decode(new Uint8Array([...head!, ...rest!]))
      );
      assertShown(frames, await shown(scratch, path), `ports ${ports}`);
    }
  },
});

Deno.test({
  name: "Wireshark tells broken frames by our codes, and shows several, large and odd ones",
  ignore,
  async fn() {
    using scratch = new Scratch();
    const path = scratch.at("x.pcapng");
    const broken = (VECTORS.invalid as { frameHex: string; code: string }[])
      .filter(({ code }) => code !== "truncated");
    const { large, odd } = oddFrames();
    const three = new Uint8Array([
      ...encodeFrame(jsonFrame({ action: "search", value: "🐶\u{1F469}\u200D\u{1F680}" })),
      ...encodeFrame({ header: { op: "pub", topic: "größe.🐶", id: 7 }, content: "😃" }),
      ...encodeFrame({ header: { op: "ping" } }),
    ]);
    const pieces = (bytes: Uint8Array, size: number) =>
      Array.from(
        { length: Math.ceil(bytes.length / size) },
        (_, i) => bytes.subarray(i * size, (i + 1) * size),
      );
    const sessions = [[three], foreignRequests(), pieces(three, 7), pieces(large, 1_460), [large], [
      new Uint8Array([...three, ...large.subarray(0, 300)]),
      large.subarray(300),
    ], ...odd.map((each) => [each])];
    const all = [...broken.map(({ frameHex }) => [Uint8Array.fromHex(frameHex)]), ...sessions];
    // To start tshark takes most of the time: it shows both kinds at once.
    record(path, all, all.map((_, i) => i >= broken.length && i % 2 === 0 ? 9999 : 5634));
    const seen = await shown(scratch, path);
    assertEquals(
      seen.slice(0, broken.length).map(({ broken }) => broken),
      broken.map(({ code }) => code),
    );
    const frames = sessions.flatMap((pieces) =>
      decode(new Uint8Array(pieces.flatMap((piece) => [...piece])))
    );
    assertShown(frames, seen.slice(broken.length), "several");
  },
});

/** Requests whose actions stand behind characters that take more bytes in UTF-8. */
function foreignRequests(): Uint8Array[] {
  const text = '{"éééé":1,"action":"ü"}';
  const units = Uint16Array.from(text, (char) => char.charCodeAt(0));
  const bigEndian = [...units].flatMap((unit) => [unit >> 8, unit & 255]);
  return [["latin-1", [...units]], ["utf-16be", bigEndian]].map(([encoding, content]) =>
    encodeFrame({
      header: { "content-type": "text/json", "content-encoding": encoding as string },
      content: Uint8Array.from(content as number[]),
    })
  );
}

const JSON_FIELDS =
  '"byteorder":"big","content-type":"text/json","content-encoding":"utf-8","content-length":45';

/** A frame of 70,000 bytes, and frames whose headers only a whole reader of JSON understands. */
function oddFrames(): { large: Uint8Array; odd: Uint8Array[] } {
  const content = new Uint8Array(70_000).map((_, i) => i * 7);
  const large = encodeFrame({
    header: { "content-type": "x/y", op: "pub", topic: "big" },
    content,
  });
  const four = '"byteorder":"big","content-type":"t","content-encoding":"binary","content-length":';
  const odd = [
    [`{"op":"no","x":{"op":"pub","content-length":9},${four}0}`],
    [`{"\\u006fp":"sub","topic":"a\\u002e\\ud83d\\udc36\\"}{",${four}0e5}`],
    [`{"op":"first","op":"last","content-type":"a",${four}1,"content-length":0.0}`],
    [` {\t"list" : [ [ ], { } , "]" , -1.5e+3 , null , false ] ,\r\n${four}-0 } `],
    [
      `{"id":12,"a/\\"b":"\\/\\b\\f\\n\\r\\t","content-type":1,${JSON_FIELDS}}`,
      '{"x":{"action":"no"},"action":"s\\u0065arch"}',
    ],
  ].map(([header = "", content = ""]) => {
    const [head, body] = [new TextEncoder().encode(header), new TextEncoder().encode(content)];
    return new Uint8Array([head.length >> 8, head.length & 255, ...head, ...body]);
  });
  return { large, odd };
}

/** A header with any further fields, in any spelling, and perhaps with a mistake in it. */
const anyHeader = fc.record({
  fields: fc.dictionary(anyName, anyValue, { maxKeys: 4 }),
  space: fc.constantFrom("", " ", "\t\r\n"),
  escapes: fc.boolean(),
  mistake: fc.option(fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }) })),
}).map(({ fields, space, escapes, mistake }) => {
  const all = {
    ...fields,
    byteorder: "big",
    "content-type": "t",
    "content-encoding": "binary",
    "content-length": 0,
  };
  let text = JSON.stringify(all, undefined, space);
  if (escapes) {
    text = text.replace(/[a-z]/g, (char, at: number) =>
      // Only within texts: an escape elsewhere is a mistake.
      /"[^"\\]*$/.test(text.slice(0, at)) && at % 5 === 0
        ? `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`
        : char);
  }
  const bytes = new TextEncoder().encode(text);
  if (mistake) bytes[mistake.at % bytes.length] = mistake.byte;
  return new Uint8Array([bytes.length >> 8, bytes.length & 255, ...bytes]);
});

/** Headers that are just simple enough, and those that are not. */
function headersAtLimits(): Uint8Array[] {
  const nested = [30, 31, 32].map((depth) => "[".repeat(depth) + "]".repeat(depth));
  const members = [
    ...[995, 996, 997].map((count) => `[${Array(count).fill("0").join()}]`),
    ...[498, 499].map((count) => `[${Array(count).fill("[]").join()}]`),
  ];
  return [...nested, ...members].map((value) =>
    rawFrame(
      `{"byteorder":"big","content-type":"t","content-encoding":"binary","x":${value},` +
        `"content-length":0}`,
    )
  );
}

Deno.test({
  name: "Wireshark takes a header if and only if our decoder does, and tells the same code",
  ignore,
  async fn() {
    using scratch = new Scratch();
    const path = scratch.at("h.pcapng");
    const frames = [...fc.sample(anyHeader, 500), ...headersAtLimits()];
    record(path, frames.map((frame) => [frame]), [5634]);
    const seen = await shown(scratch, path);
    // A frame of which more is awaited is not shown.
    const decoded = frames.map((bytes) => ({ bytes, ...new FrameDecoder().decode(bytes) }))
      .filter(({ frames, error }) => frames.length > 0 || error);
    assert(decoded.some(({ error }) => error) && decoded.some(({ error }) => !error));
    for (const [i, { bytes, error }] of decoded.entries()) {
      const { broken, fields } = seen[i]!;
      assertEquals(broken, error?.code, new TextDecoder().decode(bytes));
      if (!error) assertEquals(fields["socktool.content_length"], "0");
    }
    assertEquals(seen.length, decoded.length);
  },
});

Deno.test({
  name: "Wireshark shows the live traffic of a broker, recorded by the broker and by dumpcap",
  ignore,
  async fn() {
    using scratch = new Scratch();
    const [recorded, captured] = [scratch.at("r.pcapng"), scratch.at("c.pcapng")];
    const args = ["broker", ":0", "--record", recorded];
    await using server = await ServerProgram.start(script("cmd/socktool.ts", ...args));
    const { port } = parseAddress(formatAddress(server.address)) as { port: number };
    const capturing = await startDumpcap(captured, port);
    {
      await using client = await connectBroker(server.address);
      const subscription = await client.subscribe("a.>");
      const messages = subscription[Symbol.asyncIterator]();
      for (let i = 0; i < 50; i++) {
        await client.publishConfirmed(`a.${i}`, `text ${i} ${"🐶".repeat(i)}`);
        await deadline(messages.next());
      }
    }
    server.kill("SIGTERM");
    await server.finished();
    await capturing?.stop('"op":"bye"');
    for (const path of capturing ? [recorded, captured] : [recorded]) {
      const { seen } = await readAll(Deno.readFileSync(path));
      assertEquals([seen.length, seen[0]!.up.length, seen[0]!.down.length], [1, 1, 1]);
      const frames = [seen[0]!.up[0], seen[0]!.down[0]].map((text) =>
        decode(Uint8Array.from(String(text), (char) => char.charCodeAt(0)))
      );
      assert(frames[0]!.length >= 52 && frames[1]!.length >= 102);
      // The two directions are shown as they went to and fro.
      const all = await shown(scratch, path);
      const isUp = ({ header }: Shown) => !/"(ok|bye|pong|ping)"/.test(header!);
      assertEquals(all.length, frames.flat().length);
      const ups = frames[0]!.filter(({ header }) =>
        !/^(bye|pong|ping)$/.test(String(header["op"]))
      );
      const firstUps = all.filter(isUp).filter(({ fields }, i, list) =>
        list.findIndex((other) => other.fields["socktool.id"] === fields["socktool.id"]) === i
      );
      assertShown(ups, firstUps, path);
    }
  },
});

/** Captures a port on the loopback interface, where that is permitted. */
async function startDumpcap(path: string, port: number) {
  const args = ["-i", "lo", "-f", `tcp port ${port}`, "-w", path];
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command("dumpcap", { args, stderr: "piped", stdout: "null" }).spawn();
  } catch {
    return undefined;
  }
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!said.includes("File: ")) {
    const { value, done } = await deadline(reader.read());
    if (done) return void await child.status;
    said += value;
  }
  return {
    /** Waits until the last bytes are in the file. */
    async stop(last: string): Promise<void> {
      await until(() => Deno.readTextFileSync(path).split(last).length > 2, "all is captured");
      child.kill("SIGINT");
      while (!(await reader.read()).done);
      await child.status;
    },
  };
}

Deno.test("wireshark prints its plugin, and installs it where it is found", async () => {
  using scratch = new Scratch();
  // Deno's own folder stays: in an empty one it would fetch all packages anew.
  const { denoDir } = JSON.parse((await runTool(Deno.execPath(), ["info", "--json"])).out);
  const env = { HOME: scratch.path, APPDATA: scratch.path, DENO_DIR: denoDir };
  const printed = await socktoolProcess(["wireshark"], { env });
  assertEquals([printed.code, printed.out], [0, DISSECTOR]);
  assertMatch(
    printed.err,
    /^put it into .*plugins as socktool.lua, or run socktool wireshark --install$/m,
  );
  const installed = await socktoolProcess(["wireshark", "--install"], { env });
  const path = /^installed as (.*); Wireshark and tshark find it/m.exec(installed.err)?.[1];
  assertEquals([installed.code, Deno.readTextFileSync(path!)], [0, DISSECTOR]);
  const refused = await socktool(["wireshark", "--install", "--folder", path!]);
  assertEquals(refused.code, 1);
  assertMatch(refused.err, /^error: cannot write .*: /m);
  if (!isInstalled("tshark", "the installed plugin")) return;
  const fields = await runTool("tshark", ["-G", "protocols"], { env });
  assertMatch(fields.out, /socktool/);
});
