import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildPage } from "../build.ts";
import { buildPackages } from "../build-packages.ts";

const run = promisify(execFile);
const INSTALL_DEADLINE_MS = 120_000;
const COLLECTOR_ENV = {
  CLEW_PORT: "0",
  CLEW_OTLP_HTTP_PORT: "0",
  CLEW_OTLP_GRPC_PORT: "0",
  CLEW_JAEGER_PORT: "0",
  CLEW_DATA_DIR: "data",
};
const APP = `
  import { transaction } from "@clew/instrumentation";
  transaction.run("published-1", () => console.error("from an installed package"));
`;
let project: string;

beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "clew-published-"));
  await buildPage(AbortSignal.timeout(INSTALL_DEADLINE_MS));
  const tarballs: string[] = [];
  for (const dist of await buildPackages()) {
    const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", project], {
      cwd: dist,
    });
    tarballs.push(join(project, stdout.trim()));
  }
  await writeFile(join(project, "package.json"), '{"name":"shop","type":"module"}');
  await writeFile(join(project, "app.js"), APP);
  await mkdir(join(project, "data"));
  await run("npm", ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs], {
    cwd: project,
  });
}, INSTALL_DEADLINE_MS);

afterAll(() => rm(project, { recursive: true, force: true }));

test("installed into an empty project, the packages do the main job as JavaScript", async () => {
  const clew = join(project, "node_modules", "@clew", "collector", "bin", "clew.js");
  const collector = spawn(process.execPath, [clew, "serve", "--json"], {
    cwd: project,
    env: { ...process.env, ...COLLECTOR_ENV },
    stdio: ["ignore", "pipe", "inherit"],
  });
  try {
    const [line] = await once(createInterface(collector.stdout), "line");
    const { pageUrl, otlpUrl } = JSON.parse(line);
    await run(process.execPath, ["--import", "@clew/instrumentation/register", "app.js"], {
      cwd: project,
      env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl },
    });
    const { stdout } = await vi.waitFor(
      () => run(process.execPath, [clew, "find", "published-1", "--url", pageUrl]),
      { timeout: 20_000 },
    );
    expect(stdout).toContain("from an installed package");
    expect(stdout).toContain("shop");
    expect(await (await fetch(pageUrl)).text()).toContain("/assets/");
  } finally {
    collector.kill("SIGTERM");
    await once(collector, "exit");
  }
});
