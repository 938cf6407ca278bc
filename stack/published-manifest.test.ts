import { expect, test } from "vitest";
import { publishedManifest } from "./published-manifest.ts";

test("the published manifest has what a user needs and nothing of development", () => {
  const manifest = publishedManifest({
    name: "a",
    private: true,
    exports: { ".": "./src/index.ts", "./deep": "./src/b/deep.ts", "./x.json": "./x.json" },
    dependencies: { b: "1.0.0" },
    devDependencies: { c: "1.0.0" },
  });
  expect(manifest).toEqual({
    name: "a",
    exports: {
      ".": {
        import: { types: "./types/index.d.ts", default: "./lib/index.js" },
        require: { types: "./types/index.d.cts", default: "./lib/index.cjs" },
      },
      "./deep": {
        import: { types: "./types/b/deep.d.ts", default: "./lib/deep.js" },
        require: { types: "./types/b/deep.d.cts", default: "./lib/deep.cjs" },
      },
      "./x.json": "./x.json",
    },
    dependencies: { b: "1.0.0" },
  });
  expect(publishedManifest({ name: "program" })).toEqual({ name: "program" });
});
