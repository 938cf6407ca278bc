import type { Check, Finding, SourceFile } from "./project.ts";
import { type Import, importsOf } from "./syntax-tree.ts";

/** For each third-party package the one folder (or file) whose source may import it. */
/** One folder, or one in each of our packages that needs it. */
export type PackageMap = Readonly<Record<string, string | readonly string[]>>;
/** Tests drive the real thing from outside, so one package may be needed in several folders. */
export type TestPackageMap = Readonly<Record<string, readonly string[]>>;

const EVERYWHERE = new Set(["@opentelemetry/api", "vitest"]);
/** Types only: the framework's own words for request and context. */
const TYPES_EVERYWHERE = new Set(["hono"]);
const NOT_THIRD_PARTY = /^(?:node:|\.{1,2}\/|@clew\/|#)/;

/** Rule 35: a third-party package is met in one folder, so that it can be replaced there. */
export function checkPackages(maps: { source: PackageMap; tests: TestPackageMap }): Check {
  return {
    name: "third-party packages",
    run(project) {
      const files = project.code.filter((file) => !file.isToolConfig);
      const uses = files.flatMap(usesOf);
      const findings = uses.flatMap((use) => checkUse(use, maps));
      return { findings: [...findings, ...checkMaps(uses, maps)], examined: uses.length };
    },
  };
}

/** `@scope/name/deep` is imported from the package `@scope/name`. */
export function packageOf(specifier: string): string {
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}

interface Use extends Import {
  readonly file: SourceFile;
  readonly package: string;
}

function usesOf(file: SourceFile): readonly Use[] {
  return importsOf(file.tree)
    .filter(({ specifier }) => !NOT_THIRD_PARTY.test(specifier))
    .map((item) => ({ ...item, file, package: packageOf(item.specifier) }));
}

function checkUse(
  use: Use,
  { source, tests }: { source: PackageMap; tests: TestPackageMap },
): readonly Finding[] {
  if (EVERYWHERE.has(use.package)) return [];
  if (use.isTypeOnly && TYPES_EVERYWHERE.has(use.package)) return [];
  const ofSource = source[use.package];
  const folders = [
    ...(ofSource === undefined ? [] : [ofSource].flat()),
    ...(use.file.isTest ? (tests[use.package] ?? []) : []),
  ];
  if (folders.some((folder) => isIn(use.file, folder))) return [];
  const instead =
    folders.length > 0
      ? `import it in ${folders.join(" or ")} only, behind a name of ours`
      : "do without it, or give it its folder in tidy/src/package-folders.ts";
  const rule = `the package ${use.package} is imported in one folder`;
  return [{ path: use.file.path, line: use.file.lineAt(use.start), rule, instead }];
}

/** An entry that nothing uses any more would hide the next mistake. */
function checkMaps(
  uses: readonly Use[],
  { source, tests }: { source: PackageMap; tests: TestPackageMap },
): readonly Finding[] {
  const entries = [
    ...Object.entries(source).flatMap(([name, folders]) =>
      [folders].flat().map((folder) => ({ name, folder, isTest: false })),
    ),
    ...Object.entries(tests).flatMap(([name, folders]) =>
      folders.map((folder) => ({ name, folder, isTest: true })),
    ),
  ];
  return entries
    .filter(
      ({ name, folder, isTest }) =>
        !uses.some(
          (use) => use.package === name && isIn(use.file, folder) && isTest === use.file.isTest,
        ),
    )
    .map(({ name, folder }) => ({
      path: "tidy/src/package-folders.ts",
      line: 1,
      rule: `${name} is not imported in ${folder}`,
      instead: "remove the entry",
    }));
}

function isIn(file: SourceFile, folder: string): boolean {
  return file.path === folder || file.path.startsWith(`${folder}/`);
}
