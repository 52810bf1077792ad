import { assertEquals } from "@std/assert";
import { killLeftovers, ProcessGroup, shellArguments } from "../../../cmd/_pubsub/process_group.ts";
import { skipOnWindows } from "../../support/skip.ts";

Deno.test("cmd is given a command as it was typed, in one pair of quotes more", () => {
  assertEquals(shellArguments(`"C:\\a b\\x.exe" "one two" > "out.txt"`, 3, true), {
    args: ["/d", "/s", "/c", `""C:\\a b\\x.exe" "one two" > "out.txt""`],
    windowsRawArguments: true,
  });
  const { args, ...others } = shellArguments("echo 'a b'", 3, false);
  assertEquals([args[0], args.slice(2), others], ["-c", ["sh", "echo 'a b'", "3"], {}]);
});

Deno.test({
  name: "what a command prints is read no faster than it is taken, and all of it",
  fn: async () => {
    if (skipOnWindows("whose shell takes other commands")) return;
    let [bytes, taking, most] = [0, 0, 0];
    const take = async (piece: Uint8Array) => {
      most = Math.max(most, ++taking);
      await new Promise((resolve) => setTimeout(resolve, 0));
      bytes += piece.length;
      taking--;
    };
    const command = "head -c 2000000 /dev/zero";
    const group = new ProcessGroup(command, {}, 30_000, new Uint8Array(0), take);
    assertEquals([await group.ended, bytes, most], [0, 2_000_000, 1]);
    await killLeftovers();
  },
});
