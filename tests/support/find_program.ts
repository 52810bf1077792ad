/** Finds other people's programs, and installs those that are missing where that is permitted. */

/** What the names of programs end with. */
const ENDS = Deno.build.os === "windows" ? [".exe", ".cmd"] : [""];

/** Where Debian puts servers; it is not in everybody's PATH. */
const MORE_FOLDERS = Deno.build.os === "windows" ? [] : ["/usr/sbin", "/usr/local/bin"];

/** Debian's packages of programs that tests drive; what belongs to every system is not among them. */
const PACKAGES: Readonly<Record<string, string>> = {
  "busybox": "busybox",
  "cc": "gcc",
  "chromium": "chromium",
  "fish": "fish",
  "groff": "groff",
  "ksh": "ksh",
  "man": "man-db",
  "mksh": "mksh",
  "nats-server": "nats-server",
  "openssl": "openssl",
  "promtool": "prometheus",
  "python3": "python3",
  "ruby": "ruby",
  "systemd-analyze": "systemd",
  "tshark": "tshark",
  "wget": "wget",
  "zsh": "zsh",
};

/** Set for all test files of the process once a package could not be had: there is no registry. */
const NO_PACKAGES = "SOCKTOOL_TESTS_NO_PACKAGES";

const INSTALL_SECONDS = 240;

/**
 * Where a program is. In CI, where tests run as root, Debian's package of it is installed if it is
 * missing; nowhere else is anything changed.
 */
export function findProgram(name: string): string | undefined {
  return inFolders(name) ?? (install(name) ? inFolders(name) : undefined);
}

function inFolders(name: string): string | undefined {
  const path = (Deno.env.get("PATH") ?? "").split(Deno.build.os === "windows" ? ";" : ":");
  return [...path, ...MORE_FOLDERS]
    .flatMap((folder) => ENDS.map((end) => `${folder}/${name}${end}`))
    .find(isFile);
}

function install(name: string): boolean {
  const { [name]: wanted } = PACKAGES;
  const isPermitted = Deno.build.os === "linux" && Deno.uid() === 0 && Deno.env.has("CI");
  if (wanted === undefined || !isPermitted || Deno.env.has(NO_PACKAGES)) return false;
  if (inFolders("apt-get") === undefined || inFolders("timeout") === undefined) return false;
  const install = ["install", "-y", "--no-install-recommends", wanted];
  // Its lists may be missing, or older than what there is.
  if (apt(install) || (apt(["update"]) && apt(install))) return true;
  Deno.env.set(NO_PACKAGES, "1");
  return false;
}

function apt(args: readonly string[]): boolean {
  // Another test file may be installing something.
  const wait = ["-o", `DPkg::Lock::Timeout=${INSTALL_SECONDS / 2}`];
  return new Deno.Command("timeout", {
    args: [String(INSTALL_SECONDS), "apt-get", "-qq", ...wait, ...args],
    env: { DEBIAN_FRONTEND: "noninteractive" },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).outputSync().success;
}

/** Whether there is a file. */
export function isFile(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
