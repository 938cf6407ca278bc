import type { Check, Finding, Project, SourceFile } from "./project.ts";
import { exportedClasses, exportedNames } from "./syntax-tree.ts";

const FORBIDDEN = new Set(["utils", "util", "helpers", "helper", "common", "misc", "types"]);
const KEBAB_CASE = /^[a-z0-9]+(?:-[a-z0-9]+)*$/;
const STEM_LETTERS = 5;
/** A program's entry or a package's door: named for the role it has. */
const ENTRIES = new Set(["main", "index", "register", "launch"]);
/** Exported things of these files are a set, and the file is named for the set. */
const NAMED_FOR_A_SET = new Set(["wire-names"]);

/** Rules 5, 6 and 9: kebab-case after the main export, tests beside source, no lumber rooms. */
export const checkNames: Check = {
  name: "file names",
  run(project) {
    const findings = project.code.flatMap((file) => [
      ...checkSpelling(file),
      ...checkMainExport(file),
      ...checkTestHasSource(file, project),
    ]);
    return { findings, examined: project.code.length };
  },
};

/** Words of a name, lower case and singular: `ERRORS`, `StoreWriter` and `mint-uuid-v7` alike. */
export function wordsOf(name: string): readonly string[] {
  return name
    .replace(/([a-z0-9])([A-Z])/g, "$1-$2")
    .replace(/([A-Z]+)([A-Z][a-z])/g, "$1-$2")
    .toLowerCase()
    .split(/[-_.]/)
    .filter((word) => word !== "")
    .map((word) => word.replace(/ies$/, "y").replace(/(?<=[^s]{2})s$/, ""));
}

function checkSpelling(file: SourceFile): readonly Finding[] {
  if (FORBIDDEN.has(file.baseName)) {
    const instead =
      "name the file after the one thing it holds, or move each part where it is used";
    return [finding(file, `no file named ${file.fileName}`, instead)];
  }
  if (!KEBAB_CASE.test(file.baseName)) {
    return [finding(file, "file names are kebab-case", "rename it, as in kafka-bus.ts")];
  }
  return [];
}

/** A class that stands alone gives the file its name; otherwise an export shares a word with it. */
function checkMainExport(file: SourceFile): readonly Finding[] {
  if (file.isTest || file.isToolConfig || !file.isTypeScript) return [];
  if (ENTRIES.has(file.baseName) || NAMED_FOR_A_SET.has(file.baseName)) return [];
  const names = exportedNames(file.tree);
  const [alone, ...others] = names;
  const isNamed =
    alone !== undefined && others.length === 0 && exportedClasses(file.tree).length === 1
      ? wordsOf(alone).join() === wordsOf(file.baseName).join()
      : names.length === 0 || names.some((name) => sharesWord(name, file.baseName));
  if (isNamed) return [];
  const rule = `a file is named after its main export (${names.slice(0, 4).join(", ")})`;
  return [finding(file, rule, "rename the file or the export")];
}

/** `navigate` and `navigation` share a word: their first letters do. */
function sharesWord(name: string, baseName: string): boolean {
  const stems = wordsOf(baseName).map((word) => word.slice(0, STEM_LETTERS));
  return wordsOf(name).some((word) => stems.includes(word.slice(0, STEM_LETTERS)));
}

function checkTestHasSource(file: SourceFile, project: Project): readonly Finding[] {
  const suffix = /\.test(\.tsx?)$/.exec(file.path);
  if (suffix === null || /(?:^|\/)test\//.test(file.path) || file.path === "tidy.test.ts") {
    return [];
  }
  const stem = file.path.slice(0, suffix.index);
  if (project.find(`${stem}.ts`) ?? project.find(`${stem}.tsx`)) return [];
  const instead = "name it after its source, or move it to the workspace's test/ folder";
  return [finding(file, "x.test.ts needs x.ts beside it", instead)];
}

function finding(file: SourceFile, rule: string, instead: string): Finding {
  return { path: file.path, line: 1, rule, instead };
}
