/** An optional member of an interface that is a number. */
export interface NumericMember {
  /** The interface with its room: `net.DialOptions`. */
  readonly of: string;
  readonly name: string;
}

/** The optional numbers of the interfaces that a module exports, read by the parser of the linter. */
export function numericMembers(path: string, text: string): NumericMember[] {
  const room = path.split("/")[1]!;
  const found: NumericMember[] = [];
  const visitor: Deno.lint.LintVisitor = {
    TSInterfaceDeclaration({ id, body, parent }) {
      if (parent.type !== "ExportNamedDeclaration") return;
      for (const member of body.body) {
        if (member.type !== "TSPropertySignature" || !member.optional) continue;
        if (member.key.type !== "Identifier" || !isNumeric(member.typeAnnotation)) continue;
        found.push({ of: `${room}.${id.name}`, name: member.key.name });
      }
    },
  };
  const plugin: Deno.lint.Plugin = { name: "members", rules: { read: { create: () => visitor } } };
  Deno.lint.runPlugin(plugin, path, text);
  return found;
}

function isNumeric(annotation: Deno.lint.TSTypeAnnotation | undefined): boolean {
  const type = annotation?.typeAnnotation;
  const types = type?.type === "TSUnionType" ? type.types : [type];
  return types.some((each) => each?.type === "TSNumberKeyword");
}
