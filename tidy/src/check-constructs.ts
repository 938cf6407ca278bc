import type { Check, Finding, SourceFile } from "./project.ts";
import { findChild, importsOf, nameOf, type SyntaxNode, walk } from "./syntax-tree.ts";

type Mistake = { readonly at: number; readonly rule: string; readonly instead: string };

/** Rules 24, 36 and 37: constructs that are not written here. */
export const checkConstructs: Check = {
  name: "constructs",
  run(project) {
    const findings = project.code.flatMap((file) =>
      [...mistakesInNodes(file), ...mistakesInComments(file), ...mistakesInImports(file)].map(
        ({ at, rule, instead }): Finding => ({
          path: file.path,
          line: file.lineAt(at),
          rule,
          instead,
        }),
      ),
    );
    const written = project.files.filter((file) => file.path.endsWith(".md")).flatMap(checkProse);
    return { findings: [...findings, ...written], examined: project.code.length };
  },
};

function* mistakesInNodes(file: SourceFile): Generator<Mistake> {
  const mayReadEnvironment = file.isTest || file.isToolConfig || file.fileName === "config.ts";
  for (const { node } of walk(file.tree.program)) {
    const at = node.start;
    if (node.type === "TSAnyKeyword") {
      yield { at, rule: "no `any`", instead: "give the type, or `unknown` and a guard" };
    }
    if (isDoubleCast(node)) {
      yield { at, rule: "no `as unknown as`", instead: "write a type guard" };
    }
    if (!mayReadEnvironment && isEnvironment(node)) {
      const rule = "only config.ts reads process.env";
      yield { at, rule, instead: "add a field to the package's config.ts" };
    }
    if (
      ["TSEnumDeclaration", "TSParameterProperty", "TSImportEqualsDeclaration"].includes(node.type)
    ) {
      yield {
        at,
        rule: "erasable TypeScript only",
        instead: "use a const object or a plain field",
      };
    }
  }
}

function* mistakesInComments(file: SourceFile): Generator<Mistake> {
  for (const { text, start } of file.tree.comments) {
    if (/@ts-(?:ignore|nocheck|expect-error)/.test(text)) {
      yield { at: start, rule: "no @ts-ignore", instead: "make the types right" };
    }
    const marker = /\b(?:TODO|FIXME|XXX)\b/.exec(text)?.[0];
    if (marker !== undefined) {
      yield { at: start, rule: `no ${marker}`, instead: "do it, or write down what holds today" };
    }
  }
}

function* mistakesInImports(file: SourceFile): Generator<Mistake> {
  if (!file.isTypeScript) return;
  for (const { specifier, start } of importsOf(file.tree)) {
    if (/^\.\.?\//.test(specifier) && !/\.[a-z0-9]+$/.test(specifier)) {
      const rule = `a relative import carries its extension (${specifier})`;
      yield { at: start, rule, instead: `import "${specifier}.ts"` };
    }
    if (/^\.\.?\/.*\.js$/.test(specifier)) {
      const rule = `a relative import names the source file (${specifier})`;
      yield { at: start, rule, instead: `import "${specifier.slice(0, -3)}.ts"` };
    }
  }
}

function checkProse(file: SourceFile): readonly Finding[] {
  return file.lines.flatMap((text, index) => {
    const marker = /\b(?:TODO|FIXME)\b/.exec(text)?.[0];
    if (marker === undefined) return [];
    const instead = "docs describe what runs";
    return [{ path: file.path, line: index + 1, rule: `no ${marker}`, instead }];
  });
}

function isDoubleCast(node: SyntaxNode): boolean {
  const inner = findChild(node, "expression");
  return (
    node.type === "TSAsExpression" &&
    inner?.type === "TSAsExpression" &&
    findChild(inner, "typeAnnotation")?.type === "TSUnknownKeyword"
  );
}

/** `process.env`, and `env` taken out of `node:process` or of `process`. */
function isEnvironment(node: SyntaxNode): boolean {
  const isRead =
    node.type === "MemberExpression" &&
    nameOf(findChild(node, "object")) === "process" &&
    nameOf(findChild(node, "property")) === "env";
  const isImported =
    node.type === "ImportSpecifier" && nameOf(findChild(node, "imported")) === "env";
  const isTakenOut =
    node.type === "VariableDeclarator" &&
    nameOf(findChild(node, "init")) === "process" &&
    findChild(node, "id")?.type === "ObjectPattern";
  return isRead || isImported || isTakenOut;
}
