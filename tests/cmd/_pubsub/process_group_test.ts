import { assertEquals } from "@std/assert";
import { shellArguments } from "../../../cmd/_pubsub/process_group.ts";

Deno.test("cmd is given a command as it was typed, in one pair of quotes more", () => {
  assertEquals(shellArguments(`"C:\\a b\\x.exe" "one two" > "out.txt"`, 3, true), {
    args: ["/d", "/s", "/c", `""C:\\a b\\x.exe" "one two" > "out.txt""`],
    windowsRawArguments: true,
  });
  const { args, ...others } = shellArguments("echo 'a b'", 3, false);
  assertEquals([args[0], args.slice(2), others], ["-c", ["sh", "echo 'a b'", "3"], {}]);
});
