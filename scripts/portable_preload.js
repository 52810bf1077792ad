// Runs before the program in the portable file. The script at the file's beginning has set variables
// for the runtime; the commands that the program starts should not find them.
for (const name of (Deno.env.get("SOCKTOOL_PORTABLE") ?? "").split(" ")) {
  if (name !== "") Deno.env.delete(name);
}
Deno.env.delete("SOCKTOOL_PORTABLE");
