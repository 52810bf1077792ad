/** The broker against a publisher and a subscriber in Python. */
import { assertEquals } from "@std/assert";
import { connectBroker, openStreamStore } from "../../lib/pubsub/mod.ts";
import type { TcpAddress } from "../../lib/net/mod.ts";
import { startBroker } from "../pubsub/support.ts";
import { deadline } from "../support/deadline.ts";
import { Scratch } from "../support/scratch.ts";

const PEER = `${import.meta.dirname}/pubsub_peer.py`;
const PYTHON = Deno.build.os === "windows" ? "python" : "python3";

/** A Python program that prints lines of JSON. */
class PythonPeer implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";

  constructor(action: string, { hostname, port }: TcpAddress, topic: string, count: number) {
    this.#child = new Deno.Command(PYTHON, {
      args: ["-B", PEER, action, hostname, String(port), topic, String(count)],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line. */
  // deno-lint-ignore no-explicit-any
  async line(): Promise<any> {
    while (!this.#text.includes("\n")) {
      const { value, done } = await deadline(this.#reader.read(), "a line of the Python peer");
      if (done) throw new Error("The Python peer ended");
      this.#text += value;
    }
    const end = this.#text.indexOf("\n");
    const line = this.#text.slice(0, end);
    this.#text = this.#text.slice(end + 1);
    return JSON.parse(line);
  }

  async code(): Promise<number> {
    return (await deadline(this.#child.status, "the Python peer's end")).code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#reader.cancel();
    await this.#child.status;
  }
}

Deno.test("a Python publisher reaches a Python subscriber and one of ours, in order", async () => {
  const count = 500;
  await using broker = await startBroker();
  const address = broker.address as TcpAddress;
  await using ours = await connectBroker(address);
  const subscription = await ours.subscribe("py.>");
  await using subscriber = new PythonPeer("sub", address, "py.*", count);
  assertEquals((await subscriber.line()).retained, 0);
  await using publisher = new PythonPeer("pub", address, "py.x", count);
  assertEquals((await publisher.line()).receivers, 2);
  for (let i = 0; i < count; i++) {
    const { header, text } = await subscriber.line();
    assertEquals([header.topic, text], ["py.x", String(i)]);
    assertEquals((await subscription.next()).value!.text(), String(i));
  }
  assertEquals([await publisher.code(), await subscriber.code()], [0, 0]);
});

Deno.test("a Python program reads what we publish and retain, and answers requests", async () => {
  await using broker = await startBroker();
  const address = broker.address as TcpAddress;
  await using ours = await connectBroker(address);
  await ours.publishConfirmed("room.1", "grün", { retain: true });
  await using subscriber = new PythonPeer("sub", address, "room.*", 2);
  assertEquals((await subscriber.line()).retained, 1);
  assertEquals((await subscriber.line()).text, "grün");
  await ours.publish("room.2", "21");
  assertEquals((await subscriber.line()).text, "21");
  await using answering = new PythonPeer("echo", address, "caps", 2);
  await answering.line();
  assertEquals((await ours.request("caps", "abc")).text(), "ABC");
  assertEquals((await ours.request("caps", "xyz")).text(), "XYZ");
  assertEquals(await answering.code(), 0);
});

Deno.test("a Python program stores, works off and acknowledges, each once", async () => {
  const count = 20;
  using scratch = new Scratch();
  await using streams = await openStreamStore(scratch.at("store"));
  await using broker = await startBroker({ streams });
  const address = broker.address as TcpAddress;
  await using ours = await connectBroker(address);
  await ours.streams.create("jobs", { topics: ["jobs.>"] });
  await using worker = new PythonPeer("work", address, "jobs", count);
  for (let i = 0; i < count; i++) {
    const { header, text } = await worker.line();
    assertEquals([header.topic, header.seq, header.sid, header.attempt], ["jobs.py", i + 1, 7, 1]);
    assertEquals(text, String(i));
  }
  assertEquals(await worker.code(), 0);
  const { pending, unacked } = await ours.streams.consumer("jobs", "python");
  assertEquals([pending, unacked], [0, 0]);
});
