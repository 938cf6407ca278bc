import type { Reporter, TestModule } from "vitest/node";

/** In continuous integration a skipped test is a failure: that machine has all that tests need. */
export class SkipsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const skipped = modules.flatMap((module) =>
      [...module.children.allTests("skipped")].map(
        (test) => `${module.moduleId}: ${test.fullName}`,
      ),
    );
    if (skipped.length === 0) return;
    console.error(`with CI=true a skipped test is a failure:\n${skipped.join("\n")}`);
    process.exitCode = 1;
  }
}
