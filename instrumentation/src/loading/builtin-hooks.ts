import { registerHooks, syncBuiltinESMExports } from "node:module";
import { guard } from "../stats.ts";

type Patch = (exports: unknown) => void;

/** Not a `load` hook: see `patchModules`. */
type ResolveHook = NonNullable<Parameters<typeof registerHooks>[0]["resolve"]>;

const waiting = new Map<string, Patch[]>();
let isHooked = false;

/**
 * Changes one of Node's own modules when the service first loads it, by `import` or `require`, and
 * at once where it is loaded already. Loading `node:http2` for nothing would cost a service that
 * never uses it 8 ms at its start.
 *
 * @param name with its `node:`
 */
export function patchBuiltin(name: string, patch: Patch): void {
  const guarded = guard("module-hooks", patch);
  if (isLoaded(name)) {
    apply(name, [guarded]);
    return;
  }
  waiting.set(name, [...(waiting.get(name) ?? []), guarded]);
  if (isHooked) return;
  isHooked = true;
  const resolve: ResolveHook = (specifier, context, next) => {
    const resolved = next(specifier, context);
    const patches = waiting.get(resolved.url);
    if (patches !== undefined) {
      waiting.delete(resolved.url);
      apply(resolved.url, patches);
    }
    return resolved;
  };
  registerHooks({ resolve });
}

function isLoaded(name: string): boolean {
  const { moduleLoadList } = process as { moduleLoadList?: unknown };
  const entry = `NativeModule ${name.slice("node:".length)}`;
  return Array.isArray(moduleLoadList) && moduleLoadList.includes(entry);
}

/** ES modules import copies of the names a module exports: those are brought up to date. */
function apply(name: string, patches: readonly Patch[]): void {
  const exports = process.getBuiltinModule(name);
  for (const patch of patches) patch(exports);
  syncBuiltinESMExports();
}
