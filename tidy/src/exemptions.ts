import type { CheckResult, Finding } from "./project.ts";

export interface Exemption {
  /** The check's name. */
  readonly check: string;
  readonly path: string;
  /** Part of the rule's text, so that one exemption hides one mistake. */
  readonly rule: string;
  /** Why the better file breaks the rule. */
  readonly reason: string;
}

/** Where a rule would make a file worse. An entry that nothing needs any more is a finding. */
export const EXEMPTIONS: readonly Exemption[] = [
  {
    check: "file names",
    path: "collector/src/store/embedded/page-cursor.ts",
    rule: "a file is named after its main export",
    reason: "three kinds of cursor with one encoding; none of them is the main one",
  },
];

/** Takes the exempted findings out, and adds one for each exemption that hid nothing. */
export function withoutExempted(
  { findings }: CheckResult,
  { check, exemptions }: { check: string; exemptions: readonly Exemption[] },
): readonly Finding[] {
  const mine = exemptions.filter((exemption) => exemption.check === check);
  const kept = findings.filter((finding) => !mine.some((item) => hides(item, finding)));
  const unused = mine.filter((item) => !findings.some((finding) => hides(item, finding)));
  return [
    ...kept,
    ...unused.map(({ path, rule }) => ({
      path,
      line: 1,
      rule: `the exemption from "${rule}" is no longer needed`,
      instead: "remove it from tidy/src/exemptions.ts",
    })),
  ];
}

function hides(exemption: Exemption, finding: Finding): boolean {
  return exemption.path === finding.path && finding.rule.includes(exemption.rule);
}
