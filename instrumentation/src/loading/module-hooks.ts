import { readFileSync } from "node:fs";
import Module from "node:module";
import { fileURLToPath } from "node:url";
import { countFault } from "../stats.ts";

/** One file of a package that is changed when it is loaded, because no channel tells of it. */
export interface ModulePatch {
  /** The package's name, as in node_modules. */
  readonly package: string;
  /** Path of the file inside the package, with `/`. */
  readonly file: string;
  /**
   * Is given what the file exports and changes it in place; it may run more than once for one
   * object, where a module was loaded before us. What it returns takes the place of the exports of
   * a CommonJS file; of an ES module nothing can take the place. What it throws is counted.
   */
  readonly patch: (exports: unknown) => unknown;
}

/** What the wrapper of an ES module calls, once that ran. The symbol is all that it knows of us. */
const LOADED_KEY = Symbol.for("clew.module.loaded");
const CALL = 'globalThis[Symbol.for("clew.module.loaded")]';
const shared = globalThis as { [LOADED_KEY]?: (key: string, exports: unknown) => unknown };

const patches = new Map<string, ModulePatch>();
/** The last parts of the paths looked for: most modules are told apart by this alone. */
const fileNames = new Set<string>();

/**
 * Changes modules as they are loaded, by `import` and by `require` alike. CommonJS modules that
 * were loaded before are changed at once. A bundle has no such files: its users wrap explicitly.
 *
 * There is no `load` hook on purpose. Until 22.23 and 24.14, Node with one runs every CommonJS
 * module that comes by the ES loader (the service's main file under `--import`, too) without
 * `require.cache` and `require.extensions`, and where such a module requires an ES module that has
 * imports of its own, it throws.
 */
export function patchModules(wanted: readonly ModulePatch[]): void {
  const isFirst = patches.size === 0;
  for (const patch of wanted) {
    patches.set(keyOf(patch), patch);
    fileNames.add(patch.file.slice(patch.file.lastIndexOf("/") + 1));
  }
  if (isFirst && patches.size > 0) {
    shared[LOADED_KEY] = applyPatch;
    hookCompile();
    Module.registerHooks({ resolve: resolveModule });
  }
  patchLoaded(wanted);
}

/** A CommonJS module; Node's types do not know the function that each of them runs in. */
interface CompilingModule {
  exports: unknown;
  _compile?: Compile;
}

type Compile = (
  this: CompilingModule,
  content: string,
  path: string,
  ...rest: unknown[]
) => unknown;

/** Each CommonJS module is looked at once it ran, before whoever required it gets its exports. */
function hookCompile(): void {
  const prototype: CompilingModule = Module.prototype;
  const compile = prototype._compile;
  if (compile === undefined) throw new Error("cannot hook require: Node has no Module._compile");
  prototype._compile = function compileModule(content, path, ...rest) {
    const result = compile.call(this, content, path, ...rest);
    const key = findKey(path);
    if (key !== undefined) this.exports = applyPatch(key, this.exports);
    return result;
  };
}

type Resolved = ReturnType<import("node:module").ResolveHookSync>;
type NextResolve = Parameters<import("node:module").ResolveHookSync>[2];

/** An ES module that is to be changed is met behind a module that imports it, and hands it over. */
function resolveModule(
  specifier: string,
  context: import("node:module").ResolveHookContext,
  next: NextResolve,
): Resolved {
  const resolved = next(specifier, context);
  const { url, format } = resolved;
  const key = context.parentURL?.startsWith(WRAPPER) === true ? undefined : findKey(url);
  if (key === undefined || (format !== "module" && !url.endsWith(".mjs"))) return resolved;
  // `require` of an ES module passes by `_compile`, which knows its path.
  if (context.conditions.includes("require")) return resolved;
  try {
    return { ...resolved, url: wrapperOf(key, url), format: "module", shortCircuit: true };
  } catch (error) {
    countFault("module-hooks", error); // The module is loaded as it is.
    return resolved;
  }
}

const WRAPPER = "data:text/javascript;clew,";
const DEFAULT_EXPORT = /\bexport\s+default\b|\bas\s+default\b/;

/** Exports what the module exports; a module without default export must not be asked for one. */
function wrapperOf(key: string, url: string): string {
  const from = JSON.stringify(url);
  const hasDefault = DEFAULT_EXPORT.test(readFileSync(fileURLToPath(url), "utf8"));
  const code =
    `import * as self from ${from};export * from ${from};` +
    (hasDefault ? `export{default} from ${from};` : "") +
    `${CALL}?.(${JSON.stringify(key)},self);`;
  return WRAPPER + encodeURIComponent(code);
}

function applyPatch(key: string, exports: unknown): unknown {
  try {
    return patches.get(key)?.patch(exports) ?? exports;
  } catch (error) {
    countFault("module-hooks", error);
    return exports;
  }
}

/** What was `require`d before us can still be changed in place, its exports no longer replaced. */
function patchLoaded(wanted: readonly ModulePatch[]): void {
  // Any path will do, and in a bundle in CommonJS there is no `import.meta.url`.
  const { cache } = Module.createRequire(process.execPath);
  const keys = new Set(wanted.map(keyOf));
  for (const [path, module] of Object.entries(cache)) {
    if (module?.loaded !== true) continue;
    const key = findKey(path);
    if (key !== undefined && keys.has(key)) applyPatch(key, module.exports);
  }
}

/** `<package>/<file>` of a path or URL behind its last node_modules, where it is looked for. */
function findKey(location: string): string | undefined {
  const path = location.includes("\\") ? location.replaceAll("\\", "/") : location;
  if (!fileNames.has(path.slice(path.lastIndexOf("/") + 1))) return undefined;
  const at = path.lastIndexOf(MODULES_FOLDER);
  const key = at === -1 ? "" : path.slice(at + MODULES_FOLDER.length);
  return patches.has(key) ? key : undefined;
}

const MODULES_FOLDER = "/node_modules/";

function keyOf(patch: ModulePatch): string {
  return `${patch.package}/${patch.file}`;
}
