import type { Check, Finding, SourceFile } from "./project.ts";

const FOLDER = "changelog.d/";
const FORM = /^changelog\.d\/[a-z0-9]+(?:-[a-z0-9]+)*\.(?:feature|fix|breaking)\.md$/;

/** Rule 39: what a user sees of a change is told in one file of one form. */
export const checkChangeFiles: Check = {
  name: "change files",
  run(project) {
    const files = project.files.filter((file) => file.path.startsWith(FOLDER));
    return { findings: files.flatMap(checkFile), examined: files.length };
  },
};

function checkFile(file: SourceFile): readonly Finding[] {
  const { path } = file;
  if (!FORM.test(path)) {
    const instead = "name it <slug>.<feature|fix|breaking>.md";
    return [{ path, line: 1, rule: "a change file has the form of its name", instead }];
  }
  if (!/\w+ \w+/.test(file.text)) {
    return [{ path, line: 1, rule: "a change file says something", instead: "tell the user" }];
  }
  return [];
}
