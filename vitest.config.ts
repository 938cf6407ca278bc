import { defineConfig } from "vitest/config";
import { SkipsReporter } from "./skips-reporter.ts";

const isContinuousIntegration = process.env.CI === "true";

export default defineConfig({
  test: {
    include: [
      "*.test.ts",
      "*/src/**/*.test.ts",
      "*/test/**/*.test.ts",
      "stack/**/*.test.ts",
      "collector/web/**/*.test.ts",
    ],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: isContinuousIntegration ? ["default", new SkipsReporter()] : ["default"],
  },
});
