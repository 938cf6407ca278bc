import type { Check, Finding, SourceFile } from "./project.ts";
import { childList, findChild, isFunction, nameOf, type SyntaxNode, walk } from "./syntax-tree.ts";

/** Rule 20: a fault that is swallowed has at least its reason beside it. */
export const checkCatches: Check = {
  name: "catches",
  run(project) {
    const findings = project.code.flatMap(checkFile);
    const examined = project.code.reduce((sum, file) => sum + countCatches(file), 0);
    return { findings, examined };
  },
};

function checkFile(file: SourceFile): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { node } of walk(file.tree.program)) {
    const body = node.type === "CatchClause" ? findChild(node, "body") : findRejectionBody(node);
    if (body === undefined || !isNothing(body) || hasReason(file, body)) continue;
    const line = file.lineAt(body.start);
    const instead = "handle it, or count it and say in a sentence why it may be swallowed";
    findings.push({ path: file.path, line, rule: "no empty catch", instead });
  }
  return findings;
}

/** What `promise.catch(() => …)` does with the reason. */
function findRejectionBody(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type !== "CallExpression") return undefined;
  const callee = findChild(node, "callee");
  if (nameOf(findChild(callee, "property")) !== "catch") return undefined;
  const [handler] = childList(node, "arguments");
  return handler !== undefined && isFunction(handler) ? findChild(handler, "body") : undefined;
}

function isNothing(body: SyntaxNode): boolean {
  if (body.type === "BlockStatement") return childList(body, "body").length === 0;
  return nameOf(body) === "undefined" || (body.type === "Literal" && body.value === null);
}

/** A comment inside the block, on its line, or ending on the line above. */
function hasReason(file: SourceFile, body: SyntaxNode): boolean {
  const line = file.lineAt(body.start);
  const lastLine = file.lineAt(body.end);
  return file.tree.comments.some((comment) => {
    const commentLine = file.lineAt(comment.end);
    return commentLine >= line - 1 && commentLine <= lastLine && /\w+ \w+/.test(comment.text);
  });
}

function countCatches(file: SourceFile): number {
  let count = 0;
  for (const { node } of walk(file.tree.program)) {
    if (node.type === "CatchClause" || findRejectionBody(node) !== undefined) count++;
  }
  return count;
}
