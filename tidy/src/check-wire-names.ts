import type { Check, Finding, Project, SourceFile } from "./project.ts";
import { findChild, findStringValue, type SyntaxNode, walk } from "./syntax-tree.ts";

const HOMES = new Set(["wire-names.ts", "config.ts"]);
/** Short plain words such as `baggage` also mean something else; these have a mark in them. */
const MARKED_NAME = /^(?=.*[._-])[a-z][a-z0-9_.-]{4,}$/;

/** Rule 4: names that leave a process are spelt once, in wire-names.ts or config.ts. */
export const checkWireNames: Check = {
  name: "wire names",
  run(project) {
    const names = namesSpeltOnce(project);
    const files = project.source.filter((file) => !HOMES.has(file.fileName));
    return { findings: files.flatMap((file) => checkFile(file, names)), examined: names.size };
  },
};

function namesSpeltOnce(project: Project): ReadonlySet<string> {
  const names = new Set<string>();
  for (const file of project.source.filter((item) => item.fileName === "wire-names.ts")) {
    for (const { node } of walk(file.tree.program)) {
      const text = findStringValue(node);
      if (text !== undefined && MARKED_NAME.test(text)) names.add(text);
    }
  }
  return names;
}

function checkFile(file: SourceFile, names: ReadonlySet<string>): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { node, ancestors } of walk(file.tree.program)) {
    const text = findStringValue(node);
    if (text === undefined || isModuleName(node, ancestors[0])) continue;
    const name = /\b(?:clew_|CLEW_)\w+/.exec(text)?.[0] ?? (names.has(text) ? text : undefined);
    if (name === undefined) continue;
    const line = file.lineAt(node.start);
    const instead = "take the constant from wire-names.ts or config.ts";
    findings.push({ path: file.path, line, rule: `the name ${name} is spelt here again`, instead });
  }
  return findings;
}

function isModuleName(node: SyntaxNode, parent: SyntaxNode | undefined): boolean {
  return findChild(parent, "source") === node;
}
