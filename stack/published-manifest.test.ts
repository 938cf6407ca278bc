import { expect, test } from "vitest";
import { publishedManifest } from "./published-manifest.ts";

test("the published manifest has what a user needs and nothing of development", () => {
  const manifest = publishedManifest({
    name: "a",
    private: true,
    exports: { ".": "./src/index.ts", "./deep": "./src/b/deep.ts" },
    dependencies: { b: "1.0.0" },
    devDependencies: { c: "1.0.0" },
  });
  expect(manifest).toEqual({
    name: "a",
    exports: {
      ".": {
        import: { types: "./src/index.d.ts", default: "./src/index.js" },
        require: { types: "./require/index.d.cts", default: "./require/index.cjs" },
      },
      "./deep": {
        import: { types: "./src/b/deep.d.ts", default: "./src/b/deep.js" },
        require: { types: "./require/b/deep.d.cts", default: "./require/b/deep.cjs" },
      },
      "./package.json": "./package.json",
    },
    dependencies: { b: "1.0.0" },
  });
  expect(publishedManifest({ name: "program" })).toEqual({ name: "program" });
});
