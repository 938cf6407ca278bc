import type { Check, Finding, SourceFile } from "./project.ts";
import { childList, findChild, importsOf } from "./syntax-tree.ts";

/** The doors of packages that others install: the only files that pass on what others hold. */
const PUBLIC_ENTRIES = new Set([
  "instrumentation/src/index.ts",
  "instrumentation/src/correlation.ts",
]);

/** Rule 10: no default exports, no barrels. */
export const checkExports: Check = {
  name: "exports",
  run(project) {
    const files = project.code.filter((file) => !file.isToolConfig);
    const findings = files.flatMap((file) => [...checkDefault(file), ...checkBarrel(file)]);
    return { findings, examined: files.length };
  },
};

function checkDefault(file: SourceFile): readonly Finding[] {
  return childList(file.tree.program, "body").flatMap((statement) => {
    const isDefault =
      statement.type === "ExportDefaultDeclaration" ||
      childList(statement, "specifiers").some(
        (specifier) => findChild(specifier, "exported")?.name === "default",
      );
    if (!isDefault) return [];
    const line = file.lineAt(statement.start);
    return [
      { path: file.path, line, rule: "no default exports", instead: "export it by its own name" },
    ];
  });
}

function checkBarrel(file: SourceFile): readonly Finding[] {
  if (PUBLIC_ENTRIES.has(file.path)) return [];
  return importsOf(file.tree)
    .filter((item) => item.isReExport)
    .map((item) => ({
      path: file.path,
      line: file.lineAt(item.start),
      rule: `no barrels (it passes on ${item.specifier})`,
      instead: "import from the file that holds it",
    }));
}
