/** TypeScript 7 has no syntax tree in its main export; Vite's parser gives one (ESTree, types). */
import { parseSync } from "vite";

export interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

export interface Comment {
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export interface Import {
  readonly specifier: string;
  readonly start: number;
  /** Nothing of it is left at run time. */
  readonly isTypeOnly: boolean;
  readonly isReExport: boolean;
}

export interface SyntaxTree {
  readonly program: SyntaxNode;
  readonly comments: readonly Comment[];
}

/** @throws Error naming the file where the parser reports a mistake. */
export function parseSyntax(path: string, text: string): SyntaxTree {
  const lang = path.endsWith("x") ? "tsx" : "ts";
  const { program, comments, errors } = parseSync(path, text, { lang });
  const parsed: unknown = program;
  const [error] = errors;
  if (error !== undefined || !isNode(parsed)) {
    throw new Error(`cannot parse ${path}: ${error?.message ?? "no program"}`);
  }
  return {
    program: parsed,
    comments: comments.map(({ value, start, end }) => ({ text: value, start, end })),
  };
}

/** Every node below and including `node`, outer before inner, with its ancestors, nearest first. */
export function* walk(
  node: SyntaxNode,
  ancestors: readonly SyntaxNode[] = [],
): Generator<{ node: SyntaxNode; ancestors: readonly SyntaxNode[] }> {
  yield { node, ancestors };
  const below = [node, ...ancestors];
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (isNode(item)) yield* walk(item, below);
    }
  }
}

export function findChild(node: SyntaxNode | undefined, key: string): SyntaxNode | undefined {
  const value = node?.[key];
  return isNode(value) ? value : undefined;
}

export function childList(node: SyntaxNode | undefined, key: string): readonly SyntaxNode[] {
  const value = node?.[key];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

/** The name of an identifier, or empty. */
export function nameOf(node: SyntaxNode | undefined): string {
  return typeof node?.name === "string" ? node.name : "";
}

/** The text of a string literal or of a piece of a template, else undefined. */
export function findStringValue(node: SyntaxNode | undefined): string | undefined {
  if (node?.type === "Literal" && typeof node.value === "string") return node.value;
  if (node?.type === "TemplateElement" && typeof node.value === "object" && node.value !== null) {
    return "raw" in node.value && typeof node.value.raw === "string" ? node.value.raw : undefined;
  }
  return undefined;
}

export function isFunction(node: SyntaxNode): boolean {
  return (
    node.type === "FunctionDeclaration" ||
    node.type === "FunctionExpression" ||
    node.type === "ArrowFunctionExpression"
  );
}

/** Static and dynamic imports, and exports from another module. */
export function importsOf(tree: SyntaxTree): readonly Import[] {
  const found: Import[] = [];
  for (const { node } of walk(tree.program)) {
    const specifier = findStringValue(findChild(node, "source"));
    if (specifier === undefined) continue;
    const names = childList(node, "specifiers");
    const kind = node.importKind ?? node.exportKind;
    const areNamesTypes = names.length > 0 && names.every((name) => name.importKind === "type");
    found.push({
      specifier,
      start: node.start,
      isTypeOnly: kind === "type" || areNamesTypes,
      isReExport: node.type.startsWith("Export"),
    });
  }
  return found;
}

/** Names that a module exports itself, types included; not what it passes on from others. */
export function exportedNames(tree: SyntaxTree): readonly string[] {
  const names: string[] = [];
  for (const statement of childList(tree.program, "body")) {
    if (statement.type !== "ExportNamedDeclaration" || findChild(statement, "source")) continue;
    const declaration = findChild(statement, "declaration");
    names.push(nameOf(findChild(declaration, "id")));
    for (const declarator of childList(declaration, "declarations")) {
      names.push(nameOf(findChild(declarator, "id")));
    }
    for (const specifier of childList(statement, "specifiers")) {
      names.push(nameOf(findChild(specifier, "exported")));
    }
  }
  return names.filter((name) => name !== "");
}

/** Names of the classes among them. */
export function exportedClasses(tree: SyntaxTree): readonly string[] {
  return childList(tree.program, "body")
    .map((statement) => findChild(statement, "declaration"))
    .filter((declaration) => declaration?.type === "ClassDeclaration")
    .map((declaration) => nameOf(findChild(declaration, "id")));
}

function isNode(value: unknown): value is SyntaxNode {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    typeof value.type === "string" &&
    "start" in value &&
    typeof value.start === "number"
  );
}
