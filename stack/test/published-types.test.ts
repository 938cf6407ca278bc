import { execFile } from "node:child_process";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type InstalledPackage, installPackage } from "./installed-package.ts";

const run = promisify(execFile);
const PROGRAMS = resolve(import.meta.dirname, "../../node_modules/.bin");
const INSTALL_DEADLINE_MS = 180_000;
const ENTRIES = [
  ".",
  "./register",
  "./correlation",
  "./names",
  "./transaction-id",
  "./package.json",
];

/** What a user's TypeScript says of us: values, types and errors that must be seen as such. */
const USES = `
  transaction.run("T-1", () => 1).toFixed();
  const id: string | undefined = transaction.id();
  const stats: InstrumentationStats = instrumentationStats();
  const made: number = stats.logs.made;
  const header: "x-transaction-id" = HEADER.transactionId;
  const isGood: boolean = isTransactionId(id);
  new TransactionPropagator().fields();
  // @ts-expect-error: an ID is a text
  transaction.run(1, () => 1);
  export const used = [id, made, header, isGood];
`;
const CONSUMER = `
  import "@clew/instrumentation/register";
  import "@clew/instrumentation/correlation";
  import {
    type InstrumentationStats, instrumentationStats, transaction, TransactionPropagator,
  } from "@clew/instrumentation";
  import { HEADER } from "@clew/instrumentation/names";
  import { isTransactionId } from "@clew/instrumentation/transaction-id";
  ${USES}`;

let installed: InstalledPackage;

beforeAll(async () => {
  installed = await installPackage("instrumentation", ["@types/node", "undici-types"]);
}, INSTALL_DEADLINE_MS);

afterAll(() => installed.remove());

test.each([
  ["node16", "node16", "mts"],
  ["node16", "node16", "cts"],
  ["nodenext", "nodenext", "mts"],
  ["nodenext", "nodenext", "cts"],
  ["bundler", "esnext", "ts"],
])("types resolve under moduleResolution %s, module %s, in a .%s file", async (...row) => {
  const [moduleResolution, module, ending] = row;
  const file = `consumer-${moduleResolution}.${ending}`;
  await writeFile(join(installed.project, file), CONSUMER);
  const config = `tsconfig-${moduleResolution}-${ending}.json`;
  const compilerOptions = {
    ...{ moduleResolution, module, strict: true, noEmit: true, skipLibCheck: false },
    ...{ target: "es2023", lib: ["es2023", "esnext.iterator"], types: ["node"] },
  };
  const text = JSON.stringify({ compilerOptions, files: [file] });
  await writeFile(join(installed.project, config), text);
  const { stdout } = await run(join(PROGRAMS, "tsc"), ["-p", config], {
    cwd: installed.project,
  }).catch((error: { stdout: string }) => error);
  expect(stdout).toBe("");
});

/** The profile leaves out node10, which knows no `exports` and which TypeScript 7 no longer has. */
test("Are The Types Wrong finds nothing wrong, for CommonJS, ES modules and bundlers", async () => {
  const args = ["--profile", "node16", "--format", "json", installed.tarball];
  const { stdout } = await run(join(PROGRAMS, "attw"), args);
  const { analysis } = JSON.parse(stdout);
  expect(Object.keys(analysis.entrypoints).toSorted()).toEqual(ENTRIES.toSorted());
  const problems: { resolutionKind?: string }[] = analysis.problems;
  expect(problems.filter(({ resolutionKind }) => resolutionKind !== "node10")).toEqual([]);
});

test("publint has nothing to say", async () => {
  const folder = join(installed.project, "node_modules", "@clew", "instrumentation");
  const { stdout } = await run(join(PROGRAMS, "publint"), ["run", "--strict", folder]);
  expect(stdout).toContain("All good!");
});

test("every entry of the manifest is there, for import and for require", async () => {
  const folder = join(installed.project, "node_modules", "@clew", "instrumentation");
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  expect(Object.keys(manifest.exports)).toEqual(ENTRIES);
  for (const [entry, ways] of Object.entries<Record<string, Record<string, string>>>(
    manifest.exports,
  )) {
    if (entry === "./package.json") continue;
    expect(Object.keys(ways)).toEqual(["import", "require"]);
    for (const { types, default: code } of Object.values(ways)) {
      expect(await readFile(join(folder, `${types}`), "utf8")).toMatch(/export/);
      expect(await readFile(join(folder, `${code}`), "utf8")).not.toMatch(/\.ts"/);
    }
  }
  expect(manifest.devDependencies).toBeUndefined();
});

test("what the built modules import is what npm installs with them, and nothing more", async () => {
  const folder = join(installed.project, "node_modules", "@clew", "instrumentation");
  const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
  const files = (await readdir(join(folder, "lib"))).filter((file) => file.endsWith(".js"));
  expect(files.length).toBeGreaterThan(ENTRIES.length);
  const imported = new Set<string>();
  for (const file of files) {
    const text = await readFile(join(folder, "lib", file), "utf8");
    const code = text.replaceAll(/\/\*.*?\*\//gs, "");
    for (const [, name = ""] of code.matchAll(
      /(?:from |import |import\(|require\()"([^".][^"]*)"/g,
    )) {
      if (!name.startsWith("node:")) imported.add(packageOf(name));
    }
  }
  expect([...imported].toSorted()).toEqual(Object.keys(manifest.dependencies).toSorted());
});

function packageOf(specifier: string): string {
  return specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");
}
