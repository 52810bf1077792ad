/** What a module imports and uses, read by the parser of Deno's linter, which tests may call. */

/** What is of interest in a module's text. */
export interface Module {
  /**
   * What it imports, as written: by `import` and `export … from`, types alone or not, `import()`,
   * `import("…")` in types, `import … = require()`.
   */
  readonly imports: readonly string[];
  /** What it opens by `new URL("…", import.meta.url)`: workers above all. */
  readonly opens: readonly string[];
  /** `Deno` with the property that is used, as `Deno.exit`, or alone as `Deno`; `console`. */
  readonly uses: readonly string[];
}

/** Reads a module's text. */
export function readModule(path: string, text: string): Module {
  const imports = new Set<string>();
  const opens = new Set<string>();
  const uses = new Set<string>();
  const imported = ({ source }: { readonly source: Deno.lint.Node | null }) => {
    const specifier = source && textOf(source);
    if (specifier) imports.add(specifier);
  };
  const visitor: Deno.lint.LintVisitor = {
    ImportDeclaration: imported,
    ExportNamedDeclaration: imported,
    ExportAllDeclaration: imported,
    ImportExpression: imported,
    TSImportType({ argument }) {
      if (argument.type === "TSLiteralType") imported({ source: argument.literal });
    },
    TSExternalModuleReference: ({ expression }) => imported({ source: expression }),
    NewExpression({ callee, arguments: [file, base] }) {
      const isUrl = callee.type === "Identifier" && callee.name === "URL";
      const isRelative = base?.type === "MemberExpression" && base.object.type === "MetaProperty";
      const specifier = isUrl && isRelative ? textOf(file!) : undefined;
      if (specifier !== undefined) opens.add(specifier);
    },
    Identifier(node) {
      if (node.name === "console") uses.add("console");
      if (node.name === "Deno") uses.add(usedOf(node));
    },
  };
  const plugin: Deno.lint.Plugin = {
    name: "house",
    rules: { read: { create: () => visitor } },
  };
  Deno.lint.runPlugin(plugin, path, text);
  return { imports: [...imports], opens: [...opens], uses: [...uses] };
}

/** The text of a literal or of a template without holes. */
function textOf(node: Deno.lint.Node): string | undefined {
  if (node.type === "Literal" && typeof node.value === "string") return node.value;
  if (node.type !== "TemplateLiteral" || node.expressions.length > 0) return undefined;
  return node.quasis[0]?.cooked;
}

function usedOf(node: Deno.lint.Identifier): string {
  const { parent } = node;
  if (parent.type === "TSQualifiedName" && parent.left === node) return `Deno.${parent.right.name}`;
  if (parent.type !== "MemberExpression" || parent.object !== node) return "Deno";
  const { property, computed } = parent;
  const name = computed ? textOf(property) : property.type === "Identifier" && property.name;
  return name ? `Deno.${name}` : "Deno";
}
