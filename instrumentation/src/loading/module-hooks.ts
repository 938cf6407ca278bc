import { readFileSync } from "node:fs";
import { createRequire, registerHooks } from "node:module";
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

interface LoadResult {
  format?: string | null | undefined;
  source?: string | ArrayBuffer | NodeJS.TypedArray | undefined;
}

/** What changed sources call, once they ran. The symbol is all that they know of us. */
const LOADED_KEY = Symbol.for("clew.module.loaded");
const CALL = 'globalThis[Symbol.for("clew.module.loaded")]';
const shared = globalThis as { [LOADED_KEY]?: (key: string, exports: unknown) => unknown };

const patches = new Map<string, ModulePatch>();
/** The last parts of the paths looked for: most modules are told apart by this alone. */
const fileNames = new Set<string>();

/**
 * Changes modules as they are loaded, by `import` and by `require` alike: their source gets one
 * line at its end, which hands over what they export. Line numbers stay. CommonJS modules that
 * were loaded before are changed at once. A bundle has no such files: its users wrap explicitly.
 */
export function patchModules(wanted: readonly ModulePatch[]): void {
  const isFirst = patches.size === 0;
  for (const patch of wanted) {
    patches.set(keyOf(patch), patch);
    fileNames.add(patch.file.slice(patch.file.lastIndexOf("/") + 1));
  }
  if (isFirst && patches.size > 0) {
    shared[LOADED_KEY] = applyPatch;
    registerHooks({ load: loadModule });
  }
  patchLoaded(wanted);
}

type NextLoad = (url: string, context?: { format?: string | null }) => LoadResult;

function loadModule(url: string, context: { format?: string | null | undefined }, next: unknown) {
  // Node's types know the result only with a format, which it may leave out.
  const result = (next as NextLoad)(url, context as { format?: string | null });
  const fileName = url.slice(url.lastIndexOf("/") + 1);
  if (fileNames.has(fileName)) {
    const key = findKey(url);
    if (key !== undefined) appendCall({ url, key, result });
  }
  return result as ReturnType<import("node:module").LoadHookSync>;
}

function appendCall(of: { url: string; key: string; result: LoadResult }): void {
  const { url, key, result } = of;
  try {
    const isModule = result.format === "module";
    const source = textOf(result.source) ?? readFileSync(fileURLToPath(url), "utf8");
    const name = JSON.stringify(key);
    result.source = isModule
      ? `${source}\n;import * as clewSelf from ${JSON.stringify(url)};${CALL}?.(${name}, clewSelf);`
      : `${source}\n;module.exports = ${CALL}?.(${name}, module.exports) ?? module.exports;`;
  } catch (error) {
    countFault("module-hooks", error); // The module is loaded as it is.
  }
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
  const { cache } = createRequire(import.meta.url);
  const keys = new Set(wanted.map(keyOf));
  for (const [path, module] of Object.entries(cache)) {
    const fileName = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
    if (module?.loaded !== true || !fileNames.has(fileName)) continue;
    const key = findKey(path.replaceAll("\\", "/"));
    if (key !== undefined && keys.has(key)) applyPatch(key, module.exports);
  }
}

/** `<package>/<file>` of a path or URL behind its last node_modules, where it is looked for. */
function findKey(path: string): string | undefined {
  const marker = "/node_modules/";
  const at = path.lastIndexOf(marker);
  if (at === -1) return undefined;
  const key = path.slice(at + marker.length);
  return patches.has(key) ? key : undefined;
}

function keyOf(patch: ModulePatch): string {
  return `${patch.package}/${patch.file}`;
}

function textOf(source: LoadResult["source"]): string | undefined {
  if (typeof source === "string") return source;
  if (source === undefined || source === null) return undefined;
  return new TextDecoder().decode(source);
}
