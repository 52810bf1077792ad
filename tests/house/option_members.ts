/** What an option may be, as its type says. */
export type MemberKind = "number" | "flag" | "text" | "texts" | "function" | "signal";

/** An optional member of an interface. */
export interface OptionMember {
  /** The interface with its room: `net.DialOptions`. */
  readonly of: string;
  readonly name: string;
  readonly kind: MemberKind;
}

/**
 * The optional members of the interfaces that a module exports, read by the parser of the linter.
 * Those of other types than here are left out.
 */
export function optionMembers(path: string, text: string): OptionMember[] {
  const room = path.split("/")[1]!;
  const found: OptionMember[] = [];
  const visitor: Deno.lint.LintVisitor = {
    TSInterfaceDeclaration({ id, body, parent }) {
      if (parent.type !== "ExportNamedDeclaration") return;
      for (const member of body.body) {
        const isMember = member.type === "TSPropertySignature" ||
          member.type === "TSMethodSignature";
        if (!isMember || !member.optional || member.key.type !== "Identifier") continue;
        const kind = member.type === "TSMethodSignature"
          ? "function"
          : kindOf(member.typeAnnotation?.typeAnnotation);
        if (kind) found.push({ of: `${room}.${id.name}`, name: member.key.name, kind });
      }
    },
  };
  const plugin: Deno.lint.Plugin = { name: "members", rules: { read: { create: () => visitor } } };
  Deno.lint.runPlugin(plugin, path, text);
  return found;
}

/** A union with a number counts as one: what else it may be is written without quotation marks. */
function kindOf(type: Deno.lint.TypeNode | undefined): MemberKind | undefined {
  const types = (type?.type === "TSUnionType" ? type.types : [type])
    .filter((each) => each?.type !== "TSUndefinedKeyword");
  if (types.some((each) => each?.type === "TSNumberKeyword")) return "number";
  const [only] = types;
  if (only === undefined || types.length > 1) return undefined;
  switch (only.type) {
    case "TSBooleanKeyword":
      return "flag";
    case "TSStringKeyword":
      return "text";
    case "TSFunctionType":
      return "function";
    case "TSTypeReference":
      return isNamed(only, "AbortSignal") ? "signal" : undefined;
    case "TSTypeOperator":
      return isStrings(only.typeAnnotation) ? "texts" : undefined;
    default:
      return undefined;
  }
}

function isNamed({ typeName }: Deno.lint.TSTypeReference, name: string): boolean {
  return typeName.type === "Identifier" && typeName.name === name;
}

function isStrings(type: Deno.lint.TypeNode | undefined): boolean {
  return type?.type === "TSArrayType" && type.elementType.type === "TSStringKeyword";
}
