import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "clew-hooks-"));
afterAll(() => rmSync(folder, { recursive: true }));

const module = join(folder, "node_modules", "greeter");
mkdirSync(module, { recursive: true });
const manifest = { name: "greeter", exports: { import: "./g.mjs", require: "./g.cjs" } };
writeFileSync(join(module, "package.json"), JSON.stringify(manifest));
const body = "greeter.hello = () => 'hello'; greeter.line = new Error().stack.split('\\n')[1];";
writeFileSync(join(module, "g.mjs"), `export const greeter = {};\n${body}`);
writeFileSync(join(module, "g.cjs"), `const greeter = {};\nexports.greeter = greeter;\n${body}`);

const SUBJECT = JSON.stringify(join(import.meta.dirname, "module-hooks.ts"));
const hooks = join(folder, "hooks.mjs");
writeFileSync(
  hooks,
  `import { patchModules } from ${SUBJECT};
  const patch = (exports) => { exports.greeter.hello = () => "patched"; };
  export const install = () => patchModules([
    { package: "greeter", file: "g.mjs", patch }, { package: "greeter", file: "g.cjs", patch },
  ]);
  if (process.env.EARLY === "1") install();`,
);

test.each([
  ["import", "1", "m.mjs", 'import { greeter } from "greeter"; console.log(greeter.hello());'],
  ["require", "1", "m.cjs", 'console.log(require("greeter").greeter.hello());'],
  [
    "require, before us",
    "0",
    "late.cjs",
    `const { greeter } = require("greeter");
     import(${JSON.stringify(hooks)}).then((h) => { h.install(); console.log(greeter.hello()); });`,
  ],
])("a module is changed when it is loaded by %s", (_name, early, file, code) => {
  const program = join(folder, file);
  writeFileSync(program, code);
  const output = execFileSync(process.execPath, ["--import", hooks, program], {
    encoding: "utf8",
    env: { ...process.env, EARLY: early },
  });
  expect(output).toBe("patched\n");
});

test("a patch that throws leaves the module as it is, and the line numbers stay", () => {
  const program = join(folder, "throws.mjs");
  const bad = `import { patchModules } from ${SUBJECT};
    const patch = () => { throw new Error("no"); };
    patchModules([{ package: "greeter", file: "g.mjs", patch }]);`;
  writeFileSync(join(folder, "bad.mjs"), bad);
  writeFileSync(
    program,
    'import { greeter } from "greeter"; console.log(greeter.hello(), greeter.line);',
  );
  const output = execFileSync(process.execPath, ["--import", join(folder, "bad.mjs"), program], {
    encoding: "utf8",
  });
  expect(output).toMatch(/^hello .*g\.mjs:2:/);
});

test("a CommonJS program keeps all of require, and ES modules all of their exports", () => {
  writeFileSync(join(module, "d.mjs"), "export default 'd'; export let n = 1; n = 2;");
  writeFileSync(
    join(folder, "own.mjs"),
    'import { n } from "./node_modules/greeter/d.mjs"; export { n };',
  );
  const program = join(folder, "whole.cjs");
  writeFileSync(
    program,
    `const { n } = require("./own.mjs");
     import("./node_modules/greeter/d.mjs").then(({ default: d, n: again }) => {
       const isMain = require.main === module && require.cache[__filename] === module;
       console.log(n, again, d, isMain, typeof require.extensions[".js"]);
     });`,
  );
  const early = `import { patchModules } from ${SUBJECT};
    patchModules([{ package: "greeter", file: "d.mjs", patch: (exports) => { exports.n; } }]);`;
  writeFileSync(join(folder, "early.mjs"), early);
  const output = execFileSync(process.execPath, ["--import", join(folder, "early.mjs"), program], {
    encoding: "utf8",
  });
  expect(output).toBe("2 2 d true function\n");
});

test("an ES program that loads us in its first line finds CommonJS packages changed", () => {
  const program = join(folder, "first.mjs");
  writeFileSync(
    join(folder, "hooks-early.mjs"),
    'import { install } from "./hooks.mjs"; install();',
  );
  writeFileSync(
    program,
    `import "./hooks-early.mjs";
     import greeter from "./node_modules/greeter/g.cjs";
     console.log(greeter.greeter.hello());`,
  );
  const output = execFileSync(process.execPath, [program], { encoding: "utf8" });
  expect(output).toBe("patched\n");
});
