/** What the code has of each subject that a page of the docs lists. */
import type { Named } from "./check-agreement.ts";
import type { Project, SourceFile } from "./project.ts";
import {
  childList,
  findChild,
  findStringValue,
  nameOf,
  type SyntaxNode,
  walk,
} from "./syntax-tree.ts";

/** `*` stands for the part that the code fills in: `OTEL_EXPORTER_OTLP_*_ENDPOINT`. */
const VARIABLE_FORM = /^(?:(?:CLEW|OTEL|DEMO)_[A-Z0-9_*]+|\*_FILE)$/;
const METHODS = new Set(["get", "post", "put", "delete"]);
/** Routes that these files add stand below the query API's own path. */
const API_ROUTES_FILE = /-routes\.ts$/;
const API_PATH = "/api/v1";
const RECEIVE_PATH = /^\/(?:v1\/|_bulk$|ingest\/)/;

/** Keys of the table `ERRORS` in the collector's `errors.ts`, with status and "may be retried". */
export function errorCodes(project: Project): readonly Named[] {
  const file = project.find("collector/src/errors.ts");
  if (file === undefined) return [];
  return keysOf(file, "ERRORS").map(({ key, value }) => {
    const [status, , isRetryable] = childList(value, "arguments");
    return { ...key, cells: [String(status?.value), isRetryable?.value === true ? "yes" : "no"] };
  });
}

/** Values of the table `METRIC` in every `wire-names.ts`. */
export function metricNames(project: Project): readonly Named[] {
  return project.source
    .filter((file) => file.fileName === "wire-names.ts")
    .flatMap((file) => keysOf(file, "METRIC"))
    .map(({ key, value }) => ({ ...key, name: findStringValue(value) ?? key.name }));
}

/** Variables that a `config.ts` reads: `env.NAME`, or the name as a literal. */
export function variableNames(project: Project): readonly Named[] {
  const files = project.source.filter((file) => file.fileName === "config.ts");
  return unique(files.flatMap((file) => namesIn(file, variableOf)));
}

/** `METHOD /path` of the query server's routes and of the receiver's paths. */
export function routeNames(project: Project): readonly Named[] {
  const below = (folder: string) =>
    project.source.filter((file) => file.path.startsWith(`collector/src/${folder}/`));
  return unique([
    ...below("query").flatMap((file) => namesIn(file, (node) => routeOf(file, node))),
    ...below("receive").flatMap((file) => namesIn(file, receivePathOf)),
  ]);
}

function variableOf(node: SyntaxNode): string | undefined {
  const text = node.type === "Literal" ? findStringValue(node) : patternOf(node);
  if (text !== undefined && VARIABLE_FORM.test(text)) return text;
  if (node.type !== "MemberExpression") return undefined;
  const object = findChild(node, "object");
  const isEnvironment = nameOf(object) === "env" || nameOf(findChild(object, "property")) === "env";
  const property = nameOf(findChild(node, "property"));
  return isEnvironment && /^[A-Z][A-Z0-9_]+$/.test(property) ? property : undefined;
}

/** A template with `*` for each part that is filled in. */
function patternOf(node: SyntaxNode): string | undefined {
  if (node.type !== "TemplateLiteral") return undefined;
  return childList(node, "quasis").map(findStringValue).join("*").replace("*_*", "*");
}

function routeOf(file: SourceFile, node: SyntaxNode): string | undefined {
  if (node.type !== "CallExpression") return undefined;
  const method = nameOf(findChild(findChild(node, "callee"), "property"));
  const path = findStringValue(childList(node, "arguments")[0]);
  if (!METHODS.has(method) || path === undefined || !path.startsWith("/")) return undefined;
  const prefix = API_ROUTES_FILE.test(file.path) ? API_PATH : "";
  return `${method.toUpperCase()} ${prefix}${path.replace(/:(\w+)/g, "{$1}")}`;
}

function receivePathOf(node: SyntaxNode): string | undefined {
  const text = findStringValue(node);
  return text !== undefined && RECEIVE_PATH.test(text) ? `POST ${text}` : undefined;
}

function namesIn(
  file: SourceFile,
  nameIn: (node: SyntaxNode) => string | undefined,
): readonly Named[] {
  return [...walk(file.tree.program)].flatMap(({ node }) => {
    const name = nameIn(node);
    return name === undefined ? [] : [{ name, path: file.path, line: file.lineAt(node.start) }];
  });
}

/** Keys and values of the object that is bound to `table`. */
function keysOf(
  file: SourceFile,
  table: string,
): readonly { key: Named; value: SyntaxNode | undefined }[] {
  for (const { node } of walk(file.tree.program)) {
    if (node.type !== "VariableDeclarator" || nameOf(findChild(node, "id")) !== table) continue;
    let object = findChild(node, "init");
    while (object !== undefined && object.type !== "ObjectExpression") {
      object = findChild(object, "expression");
    }
    return childList(object, "properties").map((property) => {
      const key = findChild(property, "key");
      const name = nameOf(key) || (findStringValue(key) ?? "");
      const value = findChild(property, "value");
      return { key: { name, path: file.path, line: file.lineAt(property.start) }, value };
    });
  }
  return [];
}

function unique(names: readonly Named[]): readonly Named[] {
  return names.filter(
    (item, index) => names.findIndex((other) => other.name === item.name) === index,
  );
}
