import { assertEquals, assertMatch } from "@std/assert";
import { readItems } from "./read_items.ts";
import { soakSize } from "../support/soak_size.ts";

/** Two sentences each, as people write them, and the encodings in which files of them are found. */
const TEXTS: readonly (readonly [language: string, text: string, labels: readonly string[]])[] = [
  [
    "Japanese",
    "この文書では、サーバーの設定方法を説明します。\n詳しくは次の章を参照してください。",
    ["shift_jis", "euc-jp", "iso-2022-jp", "utf-16le", "utf-16be"],
  ],
  [
    "Simplified Chinese",
    "本文档介绍如何安装和配置服务器。\n更多信息请参阅下一章的内容。",
    ["gb18030", "utf-16le", "utf-16be"],
  ],
  [
    "Traditional Chinese",
    "本文件說明如何安裝與設定伺服器。\n詳細資訊請參閱下一章的內容。",
    ["big5", "utf-16le", "utf-16be"],
  ],
  [
    "Korean",
    "이 문서는 서버를 설치하고 설정하는 방법을 설명합니다.\n자세한 내용은 다음 장을 보십시오.",
    ["euc-kr", "utf-16le", "utf-16be"],
  ],
  [
    "Russian",
    "Этот документ описывает, как установить сервер.\nПодробности смотрите в следующей главе.",
    ["windows-1251", "koi8-r", "iso-8859-5", "ibm866", "utf-16le", "utf-16be"],
  ],
  [
    "Ukrainian",
    "Цей документ описує, як встановити сервер.\nДокладніше дивіться у наступному розділі її.",
    ["windows-1251", "koi8-u", "utf-16le"],
  ],
  [
    "Polish",
    "Ten dokument opisuje, jak zainstalować serwer na każdym komputerze.\nSzczegóły są później.",
    ["windows-1250", "iso-8859-2", "utf-16le"],
  ],
  [
    "Czech",
    "Tento dokument popisuje, jak server nainstalovat a nastavit.\nDalší možnosti jsou níže.",
    ["windows-1250", "iso-8859-2"],
  ],
  [
    "Greek",
    "Αυτό το έγγραφο περιγράφει την εγκατάσταση του διακομιστή.\nΔείτε το επόμενο κεφάλαιο.",
    ["windows-1253", "utf-16be"],
  ],
  [
    "Turkish",
    "Bu belge sunucunun nasıl kurulacağını açıklar.\nAyrıntılar için sonraki bölüme bakınız, şimdi.",
    ["windows-1254"],
  ],
  [
    "Hebrew",
    "מסמך זה מתאר כיצד להתקין את השרת ולהגדיר אותו.\nלפרטים נוספים ראו את הפרק הבא.",
    ["windows-1255", "utf-16le"],
  ],
  [
    "Arabic",
    "يصف هذا المستند كيفية تثبيت الخادم وإعداده.\nلمزيد من التفاصيل انظر الفصل التالي.",
    ["windows-1256", "utf-16le"],
  ],
  [
    "Thai",
    "เอกสารนี้อธิบายวิธีการติดตั้งเซิร์ฟเวอร์\nโปรดดูรายละเอียดในบทถัดไป",
    ["windows-874", "utf-16le"],
  ],
  [
    "French",
    "Ce document décrit l’installation du serveur et ses réglages.\nVoir aussi le chapitre où…",
    ["windows-1252", "utf-16le"],
  ],
  [
    "German",
    "Dieses Dokument beschreibt, wie man den Server einrichtet und für größere Lasten prüft.",
    ["windows-1252"],
  ],
  ["a letter", "é", ["windows-1252"]],
  ["two words", "déjà vu", ["windows-1252"]],
  ["a name", "Müller", ["windows-1252"]],
  ["a price", "£5 für 2½ m², 25 °C", ["windows-1252"]],
  ["English with a sign", `${"The license is below. ".repeat(200)}\n© 2024 Foo`, ["windows-1252"]],
  ["names", "name,city\nJosé García,Málaga\nJürgen Groß,Köln\n", ["windows-1252"]],
];

Deno.test("text that does not say its encoding is read in the one that it is in, as a guess", async () => {
  for (const [language, text, labels] of TEXTS) {
    for (const label of labels) {
      const { entries, told } = await readItems("a.text", encode(text, label));
      assertEquals(entries.map((entry) => entry.slice(-text.length)), [text], language + label);
      // What it is read as may be another one that has the same characters.
      assertMatch(told.join(), /^it .* and was read as [\w-]+, by a guess \(encoding\)$/);
    }
  }
});

Deno.test("a long text is guessed by what in it is not ASCII, wherever that is", async () => {
  const ascii = "plain words and nothing else\n".repeat(soakSize(10_000, 50_000));
  for (const [, text, [label]] of [TEXTS[0]!, TEXTS[4]!, TEXTS[6]!]) {
    for (const [before, after] of [[ascii, ""], ["", ascii], [ascii, ascii]]) {
      const large = `${before}${text}\n${after}`;
      const settings = { maxEntryBytes: 16 * 1024 * 1024 };
      const { entries, told } = await readItems("a.text", encode(large, label!), settings);
      assertEquals(entries[0]?.endsWith(large), true);
      assertEquals(told, [`it is no UTF-8 and was read as ${label}, by a guess (encoding)`]);
    }
  }
});

Deno.test("what is told goes before a guess", async () => {
  const [, text] = TEXTS[0]!;
  for (const label of ["shift_jis", "utf-16le", "utf-16be"]) {
    const read = await readItems("a.text", encode(text, label), { encoding: label });
    assertEquals([read.entries[0]?.slice(-text.length), read.told], [text, []]);
  }
});

Deno.test("numbers of two bytes, and other bytes with zeros, are no text in UTF-16", async () => {
  const numbers = new Uint8Array(new Uint16Array(4000).map((_, i) => i * i * 7 + i * 131).buffer);
  const words = new TextEncoder().encode("ELF\0needed\0by\0this\0program\0and\0by\0none\0else\0");
  const short = new Uint8Array([0x41, 0x42, 0, 0x43, 0x44, 0x45]);
  for (const bytes of [numbers, words, short]) {
    assertEquals((await readItems("a.text", bytes)).told, ["SkipFile: binary"]);
  }
});

/** The bytes of a text in an encoding that `TextDecoder` reads. */
function encode(text: string, label: string): Uint8Array {
  if (label.startsWith("utf-16")) {
    const view = new DataView(new ArrayBuffer(text.length * 2));
    for (const [i] of [...text.split("")].entries()) {
      view.setUint16(2 * i, text.charCodeAt(i), label === "utf-16le");
    }
    return new Uint8Array(view.buffer);
  }
  if (label === "iso-2022-jp") {
    const bytes = text.split(/(\P{ASCII}+)/u).flatMap((run, i) => {
      const [escape, plain] = [[0x1b, 0x24, 0x42], [0x1b, 0x28, 0x42]];
      const own = [...encode(run, "euc-jp")].map((byte) => byte & 0x7f);
      return i % 2 === 0 ? own : [...escape, ...own, ...plain];
    });
    return new Uint8Array(bytes);
  }
  const table = tableOf(label);
  return new Uint8Array([...text].flatMap((character) => table.get(character)!));
}

const tables = new Map<string, Map<string, number[]>>();

/** The bytes of each character of an encoding of one and two bytes a character. */
function tableOf(label: string): Map<string, number[]> {
  let table = tables.get(label);
  if (table !== undefined) return table;
  table = new Map();
  const decode = (bytes: number[]) => new TextDecoder(label).decode(new Uint8Array(bytes));
  for (let first = 0xff; first >= 0; first--) {
    const single = decode([first]);
    if (single !== "\ufffd") table.set(single, [first]);
    if (first < 0x80 || single !== "\ufffd") continue;
    for (let second = 0xff; second >= 0x40; second--) {
      const double = decode([first, second]);
      if ([...double].length === 1 && double !== "\ufffd") table.set(double, [first, second]);
    }
  }
  tables.set(label, table);
  return table;
}
