/** Two versions of the project: the checkout as it stands, and a commit in a checkout of its own. */
import { ROOT } from "../support.ts";

/** A version that can be measured. */
export interface Version {
  /** What tables and messages call it. */
  readonly label: string;
  /** The folder of its checkout, without a slash at the end. */
  readonly root: string;
  /**
   * Folders of benchmark programs that measure this version's library, the best first. Those of the
   * checkout as it stands come first, so that the same program measures both versions where it can.
   */
  readonly programs: readonly string[];
}

/** The checkout as it stands. */
export async function currentVersion(): Promise<Version> {
  const commit = await git("rev-parse", "--short", "HEAD");
  const changed = await git("status", "--porcelain", "--untracked-files=no") !== "";
  return {
    label: changed ? `${commit} with changes` : commit,
    root: ROOT,
    programs: [`${ROOT}/scripts/bench`],
  };
}

/** A commit, in a temporary checkout that goes with it. */
export class CommittedVersion implements Version, AsyncDisposable {
  readonly label: string;
  readonly root: string;
  readonly programs: readonly string[];

  private constructor(label: string, root: string) {
    this.label = label;
    this.root = root;
    this.programs = [`${root}/scripts/bench-of-now`, `${root}/scripts/bench`];
  }

  /**
   * Checks a commit out.
   *
   * @param ref Whatever git takes for a commit.
   * @throws {Error} if git does not know it.
   */
  static async checkOut(ref: string): Promise<CommittedVersion> {
    const commit = await git("rev-parse", "--short", "--verify", "--quiet", `${ref}^{commit}`)
      .catch(() => {
        throw new Error(`git knows no commit ${ref}`);
      });
    const folder = await Deno.makeTempDir({ prefix: "socktool-bench-" });
    const version = new CommittedVersion(
      commit === ref ? commit : `${ref} (${commit})`,
      `${folder}/${commit}`,
    );
    try {
      await git("worktree", "add", "--quiet", "--detach", version.root, commit);
      await copyFolder(`${ROOT}/scripts/bench`, version.programs[0]!);
    } catch (error) {
      await version[Symbol.asyncDispose]();
      throw error;
    }
    return version;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // There is none if checking out failed.
    await git("worktree", "remove", "--force", this.root).catch(() => {});
    await Deno.remove(this.root.slice(0, this.root.lastIndexOf("/")), { recursive: true });
  }
}

async function git(...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command("git", { args, cwd: ROOT }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`git ${args.join(" ")}: ${text(stderr)}`);
  return text(stdout);
}

async function copyFolder(from: string, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (isDirectory) await copyFolder(`${from}/${name}`, `${to}/${name}`);
    else await Deno.copyFile(`${from}/${name}`, `${to}/${name}`);
  }
}
