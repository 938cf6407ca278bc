import type { Check, Finding, SourceFile } from "./project.ts";
import { findChild, isFunction, nameOf, type SyntaxNode, walk } from "./syntax-tree.ts";

const SOURCE_LINES_MAX = 300;
const TEST_LINES_MAX = 500;
const COLUMNS_MAX = 100;
const FUNCTION_LINES_MAX = 70;

/** Rules 7 and 11: what a person can take in at once. */
export const checkSizes: Check = {
  name: "sizes",
  run(project) {
    const files = project.files.filter((file) => file.isCode || file.path.endsWith(".css"));
    const findings = files.flatMap((file) => [
      ...checkLines(file),
      ...checkColumns(file),
      ...(file.isCode ? checkFunctions(file) : []),
    ]);
    return { findings, examined: files.length };
  },
};

function checkLines(file: SourceFile): readonly Finding[] {
  const lines = file.lines.length;
  const limit = file.isTest ? TEST_LINES_MAX : SOURCE_LINES_MAX;
  if (lines <= limit) return [];
  const rule = `${lines} lines, at most ${limit}`;
  return [{ path: file.path, line: limit + 1, rule, instead: "split it where it changes subject" }];
}

function checkColumns(file: SourceFile): readonly Finding[] {
  return file.lines.flatMap((text, index) => {
    const columns = [...text].length;
    if (columns <= COLUMNS_MAX) return [];
    const rule = `${columns} columns, at most ${COLUMNS_MAX}`;
    return [{ path: file.path, line: index + 1, rule, instead: "break the line" }];
  });
}

function checkFunctions(file: SourceFile): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { node, ancestors } of walk(file.tree.program)) {
    if (!isFunction(node) || isSuite(file, { node, ancestors })) continue;
    const line = file.lineAt(node.start);
    const lines = file.lineAt(node.end) - line + 1;
    if (lines <= FUNCTION_LINES_MAX) continue;
    const rule = `a function of ${lines} lines, at most ${FUNCTION_LINES_MAX} with its closures`;
    findings.push({ path: file.path, line, rule, instead: "move its steps into functions below" });
  }
  return findings;
}

interface Place {
  readonly node: SyntaxNode;
  readonly ancestors: readonly SyntaxNode[];
}

/** The body of a `describe`, and a contract's exported function, are lists of tests. */
function isSuite(file: SourceFile, { node, ancestors }: Place): boolean {
  if (!file.isTest) return false;
  const [parent] = ancestors;
  if (file.path.endsWith(".contract.ts") && parent?.type === "ExportNamedDeclaration") return true;
  if (node.type === "FunctionDeclaration" && /contract$/i.test(nameOf(findChild(node, "id")))) {
    return true;
  }
  let callee = findChild(parent, "callee");
  while (callee?.type === "MemberExpression" || callee?.type === "CallExpression") {
    callee = findChild(callee, "object") ?? findChild(callee, "callee");
  }
  return nameOf(callee) === "describe";
}
