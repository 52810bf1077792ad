/** The portable file runs nothing that somebody else could have put in its place. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Scratch } from "../support/scratch.ts";
import { skip } from "../support/skip.ts";
import { soakSize } from "../support/soak_size.ts";
import { isInstalled, runTool, type ToolOutput } from "../support/tools.ts";
import { runsPortableFiles, smallPortableFile, SYSTEM_PATH } from "./portable_file.ts";
import {
  give,
  giveTree,
  isRoot,
  namesIn,
  NOBODY,
  OTHER,
  ownerOf,
  Place,
  PLANTED,
} from "./portable_place.ts";

interface Case {
  readonly name: string;
  /** Whether it takes files of several owners. @default {true} */
  readonly owners?: boolean;
  /** Plants something; returns the folder that is used for it, or a variable that leads there. */
  plant(place: Place): string;
}

/** What can be wrong with a folder. */
const FOLDERS: Case[] = [
  {
    name: "a link to somebody else's folder",
    plant(place) {
      place.plant(place.folder("evil", 0o755, OTHER));
      return place.link("named", place.at("evil"));
    },
  },
  {
    name: "a link of the user's own",
    owners: false,
    plant(place) {
      place.plant(place.folder("own"), place.victim);
      return place.link("named", place.at("own"), place.victim);
    },
  },
  {
    name: "a link to nothing",
    plant: (place) => place.link("named", place.at("nothing")),
  },
  {
    name: "somebody else's folder",
    plant(place) {
      const named = place.folder("named", 0o755, OTHER);
      place.plant(named);
      return named;
    },
  },
  {
    name: "a folder that a group can write to",
    owners: false,
    plant(place) {
      const named = place.folder("named", 0o770);
      place.plant(named, place.victim);
      return named;
    },
  },
  {
    name: "a folder that everybody can write to",
    owners: false,
    plant(place) {
      const named = place.folder("named", 0o777);
      place.plant(named, place.victim);
      return named;
    },
  },
  {
    name: "somebody else's program in a folder of the user's own",
    plant(place) {
      const named = place.folder("named");
      giveTree(place.plant(named), place.victim);
      give(`${named}/${place.key}/deno`, OTHER);
      return named;
    },
  },
  {
    name: "a link in the place of the program",
    owners: false,
    plant(place) {
      const named = place.folder("named");
      const folder = place.plant(named, place.victim);
      Deno.renameSync(`${folder}/deno`, place.at("evil"));
      Deno.symlinkSync(place.at("evil"), `${folder}/deno`);
      give(`${folder}/deno`, place.victim);
      return named;
    },
  },
  {
    name: "a program that others can write to",
    owners: false,
    plant(place) {
      const named = place.folder("named");
      Deno.chmodSync(`${place.plant(named, place.victim)}/deno`, 0o777);
      return named;
    },
  },
  {
    name: "what was unpacked, where others can reach it",
    owners: false,
    plant(place) {
      const named = place.folder("named");
      place.plant(named, place.victim, 0o711);
      return named;
    },
  },
  {
    name: "what was unpacked, which is a link",
    owners: false,
    plant(place) {
      const named = place.folder("named");
      const folder = place.plant(place.folder("own"), place.victim);
      Deno.symlinkSync(folder, `${named}/${place.key}`);
      give(`${named}/${place.key}`, place.victim);
      return named;
    },
  },
  {
    name: "what somebody else unpacked in part",
    plant(place) {
      const named = place.folder("named");
      Deno.removeSync(`${place.plant(named)}/LICENSE`);
      return named;
    },
  },
];

for (const { name, plant, owners = true } of FOLDERS) {
  test(
    `the portable file runs nothing of ${name}: in TMPDIR it takes another`,
    owners,
    async (place) => {
      const t = place.folder("t", 0o1777, Deno.uid()!);
      const planted = plant(place);
      const named = `socktool-${place.victim}`;
      Deno.renameSync(planted, `${t}/${named}`);
      for (let round = 0; round < 2; round++) {
        assertOurs(place, await place.start({ TMPDIR: t }));
        const [other, ...more] = namesIn(t).filter((each) => each !== named);
        assert(new RegExp(`^${named}-\\w{6}$`).test(other!), other);
        assertEquals(more, [], "the second start uses what the first unpacked");
        assertEquals(namesIn(`${t}/${other}`), [place.key]);
      }
    },
  );

  test(
    `the portable file runs nothing of ${name}: as a cache it says so`,
    owners,
    async (place) => {
      const folder = plant(place);
      const { code, out, err } = await place.start({ SOCKTOOL_CACHE: folder });
      assertEquals([code, out], [1, ""], err);
      assertStringIncludes(err, `${folder}`);
      assert(
        /others could change it|it cannot be checked|it is a link|not yours alone/.test(err),
        err,
      );
    },
    false,
  );
}

/** What can be wrong on the way to a folder: it is as if the folder were not there. */
const WAYS: Case[] = [
  {
    name: "somebody else's home",
    plant(place) {
      const home = place.folder("home", 0o755, OTHER);
      place.folder("home/.cache", 0o755, OTHER);
      place.plant(place.folder("home/.cache/socktool", 0o755, OTHER));
      return home;
    },
  },
  {
    name: "somebody else's home with a folder of the user's own in it",
    plant(place) {
      const home = place.folder("home", 0o755, OTHER);
      place.folder("home/.cache", 0o755);
      place.plant(place.folder("home/.cache/socktool"), place.victim);
      return home;
    },
  },
  {
    name: "a home whose .cache leads elsewhere",
    plant(place) {
      const home = place.folder("home");
      place.folder("evil", 0o755, OTHER);
      place.plant(place.folder("evil/socktool", 0o755, OTHER));
      place.link("home/.cache", place.at("evil"), place.victim);
      return home;
    },
  },
  {
    name: "a home whose .cache a group can write to",
    owners: false,
    plant(place) {
      const home = place.folder("home");
      place.folder("home/.cache", 0o770);
      place.plant(place.folder("home/.cache/socktool"), place.victim);
      return home;
    },
  },
];

for (const { name, plant, owners = true } of WAYS) {
  test(`the portable file runs nothing of ${name}`, owners, async (place) => {
    const home = plant(place);
    const t = place.folder("t");
    assertOurs(place, await place.start({ HOME: home, TMPDIR: t }));
    assertEquals(namesIn(t), [`socktool-${place.victim}`]);
    assertOurs(place, await place.start({ XDG_CACHE_HOME: `${home}/.cache`, TMPDIR: t }));
    const { code, out, err } = await place.start({ SOCKTOOL_CACHE: `${home}/.cache/socktool` });
    assertEquals([code, out], [1, ""], err);
    assertStringIncludes(err, "others could change it");
  });
}

test(
  "the portable file unpacks nothing where others replace what they like",
  false,
  async (place) => {
    const t = place.folder("t", 0o777, Deno.uid()!);
    const { code, out, err } = await place.start({ TMPDIR: t });
    assertEquals([code, out], [1, ""]);
    assertStringIncludes(err, `${t} belongs to somebody else, or others can write to it`);
    assertEquals(namesIn(t), [], "and leaves nothing there");
  },
);

test("the portable file follows links of the system, not of others", true, async (place) => {
  const t = place.folder("t", 0o1777, 0);
  place.link("system", t, 0);
  assertOurs(place, await place.start({ TMPDIR: place.at("system") }));
  assertEquals(namesIn(t), [`socktool-${place.victim}`]);
  const others = place.link("others", t, OTHER);
  const { code, err } = await place.start({ TMPDIR: others });
  assertEquals(code, 1);
  assertStringIncludes(err, `${others} belongs to somebody else`);
});

test(
  "what was unpacked in part, or changed by its owner, is unpacked again",
  false,
  async (place) => {
    const cache = place.folder("cache");
    const folder = place.plant(cache, place.victim);
    Deno.removeSync(`${folder}/LICENSE`);
    assertOurs(place, await place.start({ SOCKTOOL_CACHE: cache }));
    assertEquals(namesIn(cache), [place.key]);
    assert(namesIn(folder).includes("LICENSE"));
    for (const name of ["", ...namesIn(folder)]) {
      const { mode, uid } = Deno.lstatSync(`${folder}/${name}`);
      assertEquals([mode! & 0o077, uid], [0, isRoot ? place.victim : Deno.uid()], name);
    }
  },
);

/** What lasts longest is done as root in the soak only. */
const AS_ROOT_TOO = soakSize(0, 1) === 1;
/** How often the file starts while it is attacked. */
const ATTACKED = soakSize(6, 12);

test(
  "the portable file wins against somebody who swaps folders all the time",
  true,
  async (place) => {
    const t = place.folder("t", 0o1777, 0);
    const named = `${t}/socktool-${place.victim}`;
    const evil = place.folder("evil", 0o755, OTHER);
    place.plant(evil);
    Deno.chmodSync(`${evil}/${place.key}`, 0o755);
    // It ends by itself: a shell that is killed may leave a command behind that still changes names.
    const attack = `while test ! -e ${t}/over; do
    ln -s ${evil} ${named}; mv ${named} ${t}/aside; rm -f ${named} ${t}/aside
    cp -R ${evil} ${named}; mv ${named} ${t}/other; rm -rf ${named} ${t}/other
    ln -s ${evil}/${place.key} ${named}/${place.key}; mv ${evil}/${place.key} ${named}/
  done 2>/dev/null`;
    const attacker = new Deno.Command("sh", { args: ["-c", attack], uid: OTHER, gid: OTHER })
      .spawn();
    try {
      for (let round = 0; round < ATTACKED; round++) {
        assertOurs(place, await place.start({ TMPDIR: t }));
        for (const name of namesIn(t).filter((name) => ownerOf(`${t}/${name}`) === place.victim)) {
          Deno.removeSync(`${t}/${name}`, { recursive: true });
        }
      }
    } finally {
      Deno.writeTextFileSync(`${t}/over`, "");
      await attacker.status;
    }
  },
  AS_ROOT_TOO,
);

test(
  "the portable file wins against somebody who turns a link on the way elsewhere all the time",
  true,
  async (place) => {
    const home = place.folder("home");
    const t = place.folder("t");
    place.folder("own");
    const evil = place.folder("evil", 0o777, OTHER);
    // Neither the path as it is written nor the real one shows this folder.
    const hops = place.folder("hops", 0o777);
    place.link("home/.cache", `${hops}/hop`, place.victim);
    const attack = `cd ${hops}; while test ! -e over; do
    ln -sfn ${place.at("own")} hop; ln -sfn ${evil} hop
  done 2>/dev/null`;
    const attacker = new Deno.Command("sh", { args: ["-c", attack], uid: OTHER, gid: OTHER })
      .spawn();
    try {
      for (let round = 0; round < ATTACKED; round++) {
        assertOurs(place, await place.start({ HOME: home, TMPDIR: t }));
        assertEquals(namesIn(evil), [], "nothing is unpacked where others can replace it");
        for (const folder of [place.at("own"), t]) {
          for (const name of namesIn(folder)) {
            Deno.removeSync(`${folder}/${name}`, { recursive: true });
          }
        }
      }
    } finally {
      Deno.writeTextFileSync(`${hops}/over`, "");
      await attacker.status;
    }
  },
  AS_ROOT_TOO,
);

const SHELLS = [["dash"], ["bash"], ["bash", "--posix"], ["mksh"], ["ksh"], ["busybox", "sh"]];

for (const [shell, ...args] of SHELLS as [string, ...string[]][]) {
  const name = [shell, ...args].join(" ");
  test(`the portable file starts, and keeps off, in ${name}`, false, async (place) => {
    if (!isInstalled(shell, "the portable file's script in it")) return;
    const { path } = await smallPortableFile();
    let tools = SYSTEM_PATH;
    if (shell === "busybox") {
      // With its own tools as well.
      tools = place.folder("bin", 0o755, Deno.uid()!);
      await runTool("busybox", ["--install", "-s", tools]);
    }
    const cache = place.folder("cache");
    const start = (env: Record<string, string>) =>
      runTool(shell, [...args, path], {
        clearEnv: true,
        env: {
          PATH: tools === SYSTEM_PATH ? `${tools}:/usr/local/bin` : `${tools}:/usr/bin`,
          ...env,
        },
        uid: isRoot ? place.victim : undefined,
      });
    for (let round = 0; round < 2; round++) {
      assertOurs(place, await start({ SOCKTOOL_CACHE: cache }));
    }
    Deno.writeTextFileSync(`${cache}/${place.key}/deno`, PLANTED);
    Deno.chmodSync(`${cache}/${place.key}`, 0o777);
    const { code, err } = await start({ SOCKTOOL_CACHE: cache });
    assertEquals(code, 1);
    assertStringIncludes(err, "not yours alone");
    Deno.chmodSync(cache, 0o777);
    assertStringIncludes((await start({ SOCKTOOL_CACHE: cache })).err, "others could change it");
  }, false);
}

/**
 * Runs a test as root and as nobody where the tests run as root, else as who runs them.
 *
 * @param asRoot Root as well. What a shell's script does then, it does as nobody too.
 */
function test(
  name: string,
  owners: boolean,
  body: (place: Place) => Promise<void>,
  asRoot = true,
): void {
  const victims = isRoot ? [NOBODY] : [runsPortableFiles ? Deno.uid()! : 0];
  if (isRoot && asRoot) victims.push(0);
  for (const victim of victims) {
    Deno.test(isRoot ? `${name} (as ${victim === 0 ? "root" : "nobody"})` : name, async () => {
      if (!runsPortableFiles) return;
      if (owners && !isRoot) return skip(`only root can make files of several owners: ${name}`);
      using scratch = new Scratch();
      await body(await Place.in(scratch, victim));
    });
  }
}

function assertOurs({ victim }: Place, { code, out, err }: ToolOutput): void {
  assertEquals([code, out], [0, `the program of ${isRoot ? victim : Deno.uid()}\n`], err);
}
