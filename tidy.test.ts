/** Style as a test: how code reads here (CONTRIBUTING.md), held against every file git knows of. */
import { describe, expect, it } from "vitest";
import { ALL_CHECKS } from "./tidy/src/all-checks.ts";
import { EXEMPTIONS, withoutExempted } from "./tidy/src/exemptions.ts";
import { formatFinding, readProject } from "./tidy/src/project.ts";

const project = readProject(import.meta.dirname);

describe("the project", () => {
  it("is read whole", () => {
    expect(project.code.length).toBeGreaterThan(20);
    expect(project.tests.length).toBeGreaterThan(5);
    expect(project.find("collector/src/bus/bus.ts")).toBeDefined();
  });

  it.for(ALL_CHECKS)("keeps its rules: $name", (check) => {
    const result = check.run(project);
    expect(result.examined).toBeGreaterThan(0);
    const findings = withoutExempted(result, { check: check.name, exemptions: EXEMPTIONS });
    expect(findings.map(formatFinding)).toEqual([]);
  });

  it("exempts only from checks that there are, and says why", () => {
    const names = ALL_CHECKS.map((check) => check.name);
    for (const { check, reason } of EXEMPTIONS) {
      expect(names).toContain(check);
      expect(reason).toMatch(/\w+ \w+/);
    }
  });
});
