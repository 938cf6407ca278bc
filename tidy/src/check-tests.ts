import type { Check, Finding, SourceFile } from "./project.ts";
import {
  childList,
  findChild,
  findStringValue,
  isFunction,
  nameOf,
  type SyntaxNode,
  walk,
} from "./syntax-tree.ts";

const RUNNERS = new Set(["it", "test", "describe"]);
const LEFT_OUT = new Set(["skip", "only", "todo"]);

/** Rule 27, and no test that is not run. */
export const checkTests: Check = {
  name: "tests",
  run(project) {
    const files = project.tests;
    return { findings: files.flatMap(checkFile), examined: files.length };
  },
};

function checkFile(file: SourceFile): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { node } of walk(file.tree.program)) {
    const line = file.lineAt(node.start);
    const left = findLeftOut(node);
    if (left !== undefined) {
      const instead = "run it, or say with skipIf what the machine lacks";
      findings.push({ path: file.path, line, rule: `no .${left} in tests`, instead });
    }
    if (isSleep(node)) {
      const instead = "wait for the condition: vi.waitFor, an event, a fake clock";
      findings.push({ path: file.path, line, rule: "no sleep in tests", instead });
    }
  }
  return findings;
}

/** `it.skip`, also behind `concurrent` or `each`. */
function findLeftOut(node: SyntaxNode): string | undefined {
  if (node.type !== "MemberExpression") return undefined;
  const property = nameOf(findChild(node, "property"));
  let object = findChild(node, "object");
  while (object?.type === "MemberExpression") object = findChild(object, "object");
  return LEFT_OUT.has(property) && RUNNERS.has(nameOf(object)) ? property : undefined;
}

/** `new Promise((done) => setTimeout(done, ms))`, `timers/promises` and `sleep(ms)`. */
function isSleep(node: SyntaxNode): boolean {
  if (node.type === "ImportDeclaration") {
    const specifier = findStringValue(findChild(node, "source")) ?? "";
    return /^(?:node:)?timers\/promises$/.test(specifier);
  }
  if (node.type === "CallExpression") {
    return /^(?:sleep|delay|wait)(?:Ms)?$/.test(nameOf(findChild(node, "callee")));
  }
  if (node.type !== "NewExpression" || nameOf(findChild(node, "callee")) !== "Promise") {
    return false;
  }
  const [executor] = childList(node, "arguments");
  if (executor === undefined || !isFunction(executor)) return false;
  const resolve = nameOf(childList(executor, "params")[0]);
  return resolve !== "" && resolvesByTimer(executor, resolve);
}

function resolvesByTimer(executor: SyntaxNode, resolve: string): boolean {
  for (const { node } of walk(executor)) {
    if (node.type !== "CallExpression") continue;
    if (nameOf(findChild(node, "callee")) !== "setTimeout") continue;
    const [callback] = childList(node, "arguments");
    if (callback === undefined) continue;
    for (const inner of walk(callback)) if (nameOf(inner.node) === resolve) return true;
  }
  return false;
}
