import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { distinctSpans } from "./http-app.ts";
import { withServedApp } from "./http-served-app.ts";
import { OtlpSink } from "./otlp-sink.ts";

let sink: OtlpSink;
let endpoint: string;
const folder = mkdtempSync(join(import.meta.dirname, "../../node_modules/.clew-bundles-"));

beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Two routes, one that answers and one that fails, in each framework's words. */
const KOA = `
  app.silent = true;
  router.get("/orders/:id", (ctx) => { ctx.body = "ok"; });
  router.get("/fail/:why", () => { throw new RangeError("boom"); });
  app.use(router.routes());
  const server = http.createServer(app.callback());`;
const HONO = `
  app.use("*", (c, next) => next());
  app.get("/orders/:id", (c) => c.text("ok"));
  app.get("/fail/:why", () => { throw new RangeError("boom"); });
  app.onError((error, c) => c.text("failed", 500));
  const server = http.createServer(getRequestListener(app.fetch));`;
const FASTIFY = `
  app.get("/orders/:id", () => Promise.resolve("ok"));
  app.get("/fail/:why", () => { throw new RangeError("boom"); });
  app.ready();
  const server = app.server;`;
const EXPRESS = `
  app.set("env", "test");
  app.get("/orders/:id", (req, res) => res.send("ok"));
  app.get("/fail/:why", () => { throw new RangeError("boom"); });
  const server = http.createServer(app);`;

async function expectRoutes(code: string): Promise<void> {
  const end = await withServedApp({ endpoint, code }, async (port) => {
    const statuses: number[] = [];
    for (const path of ["/orders/42", "/fail/42"]) {
      statuses.push((await fetch(`http://127.0.0.1:${port}${path}`)).status);
    }
    expect(statuses).toEqual([200, 500]);
  });
  expect(end.faults).toEqual({});
  expect(distinctSpans(sink).map((span) => [span.name, span.status, span.events.length])).toEqual([
    ["GET /orders/:id", 0, 0],
    ["GET /fail/:why", 2, 1],
  ]);
}

const REQUIRE = `
  import http from "node:http";
  const require = createRequire(process.cwd() + "/x");`;

test.each([
  [
    "Koa",
    `const Koa = require("koa"); const Router = require("@koa/router");
     const app = new Koa(); const router = new Router();${KOA}`,
  ],
  [
    "Hono",
    `const { Hono } = require("hono"); const { getRequestListener } = require("@hono/node-server");
     const app = new Hono();${HONO}`,
  ],
  ["Fastify", `const app = require("fastify")();${FASTIFY}`],
  ["Express", `const app = require("express")();${EXPRESS}`],
])("%s by require", async (_, code) => {
  await expectRoutes(`${REQUIRE}${code} await serve(server);`);
});

test("Hono with a router of its own", async () => {
  const code = `import http from "node:http"; import { Hono } from "hono";
    import { LinearRouter } from "hono/router/linear-router";
    import { getRequestListener } from "@hono/node-server";
    const app = new Hono({ router: new LinearRouter() });${HONO} await serve(server);`;
  await expectRoutes(code);
});

const BUNDLED: readonly (readonly [string, string])[] = [
  [
    "Koa",
    `import Koa from "koa"; import Router from "@koa/router"; import http from "node:http";
     import { instrumentKoa } from "@clew/instrumentation";
     const app = instrumentKoa(new Koa()); const router = new Router();${KOA}
     export { server };`,
  ],
  [
    "Hono",
    `import { Hono } from "hono"; import { getRequestListener } from "@hono/node-server";
     import http from "node:http"; import { instrumentHono } from "@clew/instrumentation";
     const app = instrumentHono(new Hono());${HONO}
     export { server };`,
  ],
  [
    "Fastify",
    `import fastify from "fastify"; import http from "node:http";
     const app = fastify();${FASTIFY}
     export { server };`,
  ],
];

test.each(
  BUNDLED.flatMap(([name, contents]) => [
    { name, contents, format: "cjs" as const, packages: "ours beside" },
    { name, contents, format: "cjs" as const, packages: "ours inside" },
  ]),
)("$name in a bundle, $packages", async ({ name, contents, format, packages }) => {
  const outfile = join(folder, `${name}-${packages.replace(" ", "-")}.${format}`);
  await build({
    stdin: { contents, resolveDir: import.meta.dirname },
    ...{ bundle: true, platform: "node", format, outfile, logLevel: "error" },
    external: packages === "ours beside" ? ["@clew/instrumentation"] : [],
  });
  await expectRoutes(`const { server } = createRequire(import.meta.url)("${outfile}");
    await serve(server);`);
});
