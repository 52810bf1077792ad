import { assertEquals } from "@std/assert";
import { openSearch } from "../../lib/search/mod.ts";
import { htmlContent } from "../../lib/search/data/html_text.ts";
import { markdownContent } from "../../lib/search/data/markdown.ts";
import { textTitle } from "../../lib/search/data/text_title.ts";
import { commonTail, pageTitle } from "../../lib/search/data/titles.ts";
import { Folder } from "./support.ts";

/** `title | text` of a page. */
async function page(html: string): Promise<string> {
  const { title, heading, sites, text } = await htmlContent(html);
  return `${pageTitle(title, heading, sites)} | ${text}`;
}

Deno.test("HTML: what is around the content is neither title nor text", async () => {
  const pages = [
    // As Sphinx writes it.
    `<title>re — Regular expressions — Python 3 documentation</title>
     <div class="related" role="navigation"><h3>Navigation</h3><a href="x">index</a></div>
     <div class="document"><div role="main"><h1><code>re</code> — Regular expressions<a href="#x">¶</a></h1>
     <p>Matching operations.</p></div></div>
     <div class="sphinxsidebar" role="navigation"><h3>Table of Contents</h3></div>
     <div class="footer" role="contentinfo">&copy; 2001</div>`,
    // As PostgreSQL's documentation is.
    `<title>PostgreSQL: Documentation: 15: SELECT</title><nav>Home</nav><div id="docContent">
     <h2>SELECT</h2><p>retrieve rows</p></div>`,
    // As mdBook writes it.
    `<title>What is Ownership? - The Rust Programming Language</title>
     <nav id="sidebar">Contents</nav><header><h1 class="menu-title">The Rust Programming Language</h1></header>
     <main><h2>What Is Ownership?</h2><p>A set of rules.</p></main>`,
    `<title>Page | My Site</title><meta property="og:site_name" content="My Site"><body><p>Text.`,
    `<title>Only a title</title><header>Menu</header><aside>More</aside><p>Text.<footer>Foot</footer>`,
    `<article><header><h1>In its header</h1></header><p>Text.</p><footer>by me</footer></article>`,
    `<h3>First</h3><h1>The one</h1><p hidden>no</p><p style="display: none">no</p>
     <p aria-hidden="true">no</p><p style="color: red">yes</p>`,
    // As DocBook writes it.
    `<title>SELECT</title><body class="sidebar"><div class="navheader"><table><tr><th>SELECT</th></tr>
     <td>Prev</td></table></div><div class="refentry"><p>retrieve rows</p></div>
     <div class="navfooter">Next</div>`,
    // Nothing would be left.
    `<title>All</title><header><p>All is in the header.</p></header>`,
  ];
  const read = [];
  for (const html of pages) read.push(await page(html));
  assertEquals(read, [
    "re — Regular expressions | re — Regular expressions\n\nMatching operations.",
    "SELECT | SELECT\n\nretrieve rows",
    "What Is Ownership? | What Is Ownership?\n\nA set of rules.",
    "Page | Text.",
    "Only a title | Text.",
    "In its header | In its header\n\nText.",
    "The one | First\n\nThe one\n\nyes",
    "SELECT | retrieve rows",
    "All | All is in the header.",
  ]);
});

Deno.test("htmlContent() leaves out what is not read", async () => {
  const html = `<!doctype html><head><title>T &amp; t</title><style>x{}</style>
    <script>var a = "<h1>no</h1>";</script><body><svg><title>icon</title></svg>
    <p>One<br>two <i>th</i>ree</p><ul><li>a<li>b</ul><pre>x
  y</pre>`;
  const { title, text } = await htmlContent(html);
  assertEquals(title, "T & t");
  assertEquals(text, "One\ntwo three\n\na\nb\n\nx\n  y");
});

Deno.test("the titles of other pages show what the site is called", async () => {
  const html = (title: string) => `<title>${title}</title><p>text`;
  await using folder = await Folder.make({
    "flat/a.html": html("Alpha – The Site – Docs"),
    "flat/b.html": html("Beta – x – The Site – Docs"),
    "flat/c.html": html("Gamma – The Site – Docs"),
    "deep/a/index.html": html("Alpha | Logo").replace("<p>", "<h1>Logo</h1><p>"),
    "deep/b/index.html": html("Beta | Logo").replace("<p>", "<h1>Logo</h1><p>"),
    "none/a.html": html("One - two"),
    "none/b.html": html("Three - four"),
  });
  await using engine = await openSearch({ data: [folder.path] });
  const titles = ["flat/a", "flat/b", "flat/c", "deep/a/index", "deep/b/index", "none/a", "none/b"]
    .map((name) => engine.lookup(`${name}.html`)?.title);
  assertEquals(titles, [
    "Alpha",
    "Beta – x",
    "Gamma",
    "Alpha",
    "Beta",
    "One - two",
    "Three - four",
  ]);
  assertEquals(commonTail(["a | s", "b | s", "c", "d"]), undefined);
});

async function read(markdown: string, isMdx: boolean) {
  const { title, text } = await markdownContent(markdown, isMdx);
  return { title, text };
}

Deno.test("Markdown: front matter has the title, and its fields are text", async () => {
  const yaml =
    "---\ntitle: 'A: title'\ndescription: >\n  What it\n  is.\ntags: [red, blue]\nweight: 3\n---\n# Heading\n\nText.\n";
  assertEquals(await read(yaml, false), {
    title: "A: title",
    text: "What it is.\n\n\n# Heading\n\nText.\n\ntags: red, blue",
  });
  const toml = '+++\ntitle = "T"\nauthors = ["Ann"]\n+++\nText.\n';
  assertEquals(await read(toml, false), { title: "T", text: "Text.\n\nauthors: Ann" });
  assertEquals((await markdownContent("---\nlayout: x\n---\n# H\n", false)).title, "H");
  // What only looks like front matter stays.
  for (
    const text of [
      "---\nnot: [closed\n---\nText.\n",
      "---\n\nA line above.\n",
      "# One\n---\na: b\n---\n",
    ]
  ) {
    assertEquals((await markdownContent(text, false)).text, text);
  }
});

Deno.test("Markdown and MDX: comments and anchors do not show, but in code", async () => {
  const mdx =
    "---\ntitle: useState\n---\nimport X from './x';\n\n<Intro>\n\nA Hook.\n\n</Intro>\n\n" +
    "## Usage {/*usage*/}\n\n`{/* kept */}`\n\n```js\n// {/* kept too */} <Intro>\nimport y\n```\n";
  assertEquals(await read(mdx, true), {
    title: "useState",
    text:
      "\n\n\n\nA Hook.\n\n\n\n## Usage \n\n`{/* kept */}`\n\n```js\n// {/* kept too */} <Intro>\nimport y\n```\n",
  });
  const markdown = "# Title {#top}\n\n<!-- no -->Text {x}.\n";
  assertEquals(await read(markdown, false), {
    title: "Title",
    text: "# Title\n\nText {x}.\n",
  });
});

Deno.test("plain text: its first line is the title, if it is one, else the file's name", () => {
  const cases: [text: string, title: string | undefined][] = [
    ["\n  A title\nText", "A title"],
    ["*****\nA title\n*****\nText", "A title"],
    ["==== A title ====\nText", "==== A title ===="],
    ["// Makes the index.\nx();", "Makes the index."],
    ["/**\n * Makes the index.\n */", "Makes the index."],
    ["/* Makes the index. */\n", "Makes the index."],
    ["# Settings of the server\nport=1\n", "Settings of the server"],
    ["-- Tables\nCREATE TABLE x (y);", "Tables"],
    ["Import duties rose in May", "Import duties rose in May"],
    ["import duties rose in May", "import duties rose in May"],
    ["Ein Titel: der Anfang", "Ein Titel: der Anfang"],
    ["#!/bin/sh\n# Starts it\n", undefined],
    ['import { a } from "./a.js";\n', undefined],
    ["import os.path\n", undefined],
    ["from os import path\n", undefined],
    ["#include <stdio.h>\n", undefined],
    ["<?php\n", undefined],
    ['"use strict";\n', undefined],
    ["export const x = {\n", undefined],
    ["Format: https://example.org/copyright/1.0/\nName: x\n", undefined],
    ["https://example.org/\n", undefined],
    [`${"long ".repeat(30)}\nshort`, undefined],
    ["---\n***\n", undefined],
    ["", undefined],
  ];
  for (const [text, title] of cases) assertEquals(textTitle(text, "a.txt"), title, text);
});

Deno.test("reStructuredText: the first title is the title, without what is before it", () => {
  const cases: [text: string, title: string | undefined][] = [
    ["Title\n=====\n\nText", "Title"],
    ["*****\nTitle\n*****\n", "Title"],
    ["======\n Title\n======\n", "Title"],
    [".. _target:\n\n.. note:: no\n   ====\n   text\n\nTitle\n-----\n", "Title"],
    [":tocdepth: 2\n\nTitle\n^^^^^\n", "Title"],
    [
      ":mod:`!datetime` --- Basic date and time types\n==================\n",
      "datetime --- Basic date and time types",
    ],
    ["The ``with`` statement of :pep:`343`\n======\n", "The with statement of 343"],
    ["`Socket Programming <https://example.org>`_ in *C*\n-----\n", "Socket Programming in C"],
    ["Only text.\n\nNo title.\n", undefined],
  ];
  for (const name of ["a.rst", "a/b.rst.txt"]) {
    for (const [text, title] of cases) {
      assertEquals(textTitle(text, name), title, text);
      assertEquals(textTitle(text.replaceAll("\n", "\r\n"), name), title, text);
    }
  }
});
