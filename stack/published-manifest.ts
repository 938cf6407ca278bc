/** The parts of a package.json that are looked at here. */
export interface Manifest {
  readonly [field: string]: unknown;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/** Where the published code and its declarations are. */
export const CODE_FOLDER = "lib";
export const TYPES_FOLDER = "types";

/** Whether an entry is a source; anything else (`./package.json`) is published as it is. */
export function isModule(source: string): boolean {
  return source.endsWith(".ts");
}

/** The code of an entry, without its ending: `./src/a/b.ts` → `./lib/b`. */
export function codeStemOf(source: string): string {
  return `./${CODE_FOLDER}/${source.slice(source.lastIndexOf("/") + 1).replace(/\.ts$/, "")}`;
}

/**
 * What is published of a manifest: each entry for `import` and for `require`, with its declarations
 * first, as resolvers want it; nothing of development.
 */
export function publishedManifest(manifest: Manifest): Manifest {
  const { private: _private, devDependencies: _dev, exports, ...kept } = manifest;
  if (exports === undefined) return kept;
  const entries = Object.entries(exports).map(([name, source]) => {
    if (!isModule(source)) return [name, source];
    const code = codeStemOf(source);
    const types = source.replace(/^\.\/src\//, `./${TYPES_FOLDER}/`).replace(/\.ts$/, "");
    return [
      name,
      {
        import: { types: `${types}.d.ts`, default: `${code}.js` },
        require: { types: `${types}.d.cts`, default: `${code}.cjs` },
      },
    ];
  });
  return { ...kept, exports: Object.fromEntries(entries) };
}
