// Runs before the program in the portable file. The shell script at the file's beginning set variables
// for the runtime. They are removed here, so that commands that the program starts do not get them.
for (const name of (Deno.env.get("SOCKTOOL_PORTABLE") ?? "").split(" ")) {
  if (name !== "") Deno.env.delete(name);
}
Deno.env.delete("SOCKTOOL_PORTABLE");
