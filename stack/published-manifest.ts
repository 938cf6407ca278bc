/** The parts of a package.json that are looked at here. */
export interface Manifest {
  readonly [field: string]: unknown;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/** Where the entries for `require` are, beside the modules they load. */
export const REQUIRE_FOLDER = "require";

/** A source's path without its ending: `./src/index.ts` → `./src/index`. */
export function stemOf(source: string): string {
  return source.replace(/\.ts$/, "");
}

/** Where the entry for `require` of a module is: `./src/a.ts` → `./require/a`. */
export function requireStemOf(source: string): string {
  return stemOf(source).replace(/^\.\/src\//, `./${REQUIRE_FOLDER}/`);
}

/**
 * What is published of a manifest: each entry for `import` and for `require`, with its declarations
 * first, as resolvers want it; nothing of development.
 */
export function publishedManifest(manifest: Manifest): Manifest {
  const { private: _private, devDependencies: _dev, exports, ...kept } = manifest;
  if (exports === undefined) return kept;
  const entries = Object.entries(exports).map(([name, source]) => {
    const [module, required] = [stemOf(source), requireStemOf(source)];
    return [
      name,
      {
        import: { types: `${module}.d.ts`, default: `${module}.js` },
        require: { types: `${required}.d.cts`, default: `${required}.cjs` },
      },
    ];
  });
  const all = Object.fromEntries(entries);
  return { ...kept, exports: { ...all, "./package.json": "./package.json" } };
}
