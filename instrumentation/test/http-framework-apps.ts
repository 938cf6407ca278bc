import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";

const MODULES = join(import.meta.dirname, "../../node_modules");

/**
 * Express 4 under its own name: in this repository it is installed as `express4`, beside Express 5.
 * Its dependencies are found above the folder.
 */
export function installExpress4(): { readonly from: string; remove(): void } {
  const folder = mkdtempSync(join(MODULES, ".clew-express4-"));
  mkdirSync(join(folder, "node_modules"));
  cpSync(join(MODULES, "express4"), join(folder, "node_modules", "express"), { recursive: true });
  return {
    from: join(folder, "x.cjs"),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** What goes wrong in a service, for each framework in its own words. */
const ERRORS = `
  class Declined extends Error { name = "Declined"; }
  const boom = () => { throw new RangeError("boom"); };
  const rejected = async () => { throw new TypeError("later"); };
  const declined = () => { throw markExpected(new Declined("no money")); };
`;

const EXPRESS_ROUTES = `${ERRORS}
  const app = express();
  const api = express.Router();
  api.get("/items/:item", (req, res) => res.send(transaction.id()));
  const lines = express.Router();
  lines.get("/lines/:line", (req, res) => res.send(transaction.id()));
  api.use("/carts/:cart", lines);
  app.use("/api", api);
  app.use("/tenants/:tenant", api);
  app.get("/orders/:id", (req, res) => res.send(transaction.id()));
  app.get("/throw", boom);
  app.get("/reject", (req, res, next) => rejected().catch(next));
  app.get("/expected", declined);
  app.get("/teapot", () => { throw Object.assign(new Error("short and stout"), { status: 418 }); });
  app.get("/caught", boom);
  app.use((error, req, res, next) => {
    if (req.path !== "/caught") return next(error);
    res.status(503).send("caught");
  });
  app.set("env", "test");
  await serve((await import("node:http")).createServer(app));
`;

/** Programs that serve the same routes, by the framework's name. */
export const FRAMEWORK_APPS: Readonly<Record<string, string>> = {
  "Express 4": `const express = createRequire(process.env.EXPRESS_4)("express");${EXPRESS_ROUTES}`,
  "Express 5": `import express from "express";${EXPRESS_ROUTES}`,
  "Fastify 5": `import fastify from "fastify";${ERRORS}
    const app = fastify();
    const ok = async () => transaction.id();
    app.get("/orders/:id", ok);
    app.register(async (api) => {
      api.get("/items/:item", ok);
      api.register(async (lines) => lines.get("/lines/:line", ok), { prefix: "/carts/:cart" });
    }, { prefix: "/api" });
    app.register(async (api) => {
      api.get("/items/:item", ok);
      api.register(async (lines) => lines.get("/lines/:line", ok), { prefix: "/carts/:cart" });
    }, { prefix: "/tenants/:tenant" });
    app.get("/throw", boom);
    app.get("/reject", rejected);
    app.get("/expected", async () => declined());
    app.get("/teapot", async () => { throw Object.assign(new Error("t"), { statusCode: 418 }); });
    app.get("/caught", { errorHandler: (e, req, reply) => reply.code(503).send("c") }, boom);
    await app.listen({ port: 0, host: "127.0.0.1" });
    await serve(app.server);`,
  Koa: `import Koa from "koa"; import Router from "@koa/router";${ERRORS}
    const app = new Koa();
    app.silent = true;
    const ok = (ctx) => { ctx.body = transaction.id(); };
    const lines = new Router().get("/lines/:line", ok);
    const api = new Router().get("/items/:item", ok);
    api.use("/carts/:cart", lines.routes());
    const router = new Router();
    router.use("/api", api.routes());
    router.use("/tenants/:tenant", api.routes());
    router.get("/orders/:id", ok).get("/throw", boom).get("/reject", rejected);
    router.get("/expected", declined).get("/teapot", (ctx) => ctx.throw(418, "short"));
    router.get("/caught", () => { throw Object.assign(new RangeError("boom"), { status: 503 }); });
    app.use(router.routes());
    await serve((await import("node:http")).createServer(app.callback()));`,
  Hono: `import { Hono } from "hono"; import { HTTPException } from "hono/http-exception";
    import { serve as listen } from "@hono/node-server";${ERRORS}
    const ok = (c) => c.text(transaction.id());
    const lines = new Hono().get("/lines/:line", ok);
    const api = new Hono().get("/items/:item", ok).route("/carts/:cart", lines);
    const app = new Hono();
    app.use("*", async (c, next) => next());
    app.route("/api", api).route("/tenants/:tenant", api);
    app.get("/orders/:id", ok).get("/throw", boom).get("/reject", rejected);
    app.get("/expected", declined);
    app.get("/teapot", () => { throw new HTTPException(418, { message: "short" }); });
    app.get("/caught", boom);
    app.onError((error, c) => {
      if (error instanceof HTTPException) return error.getResponse();
      return c.text("e", c.req.path === "/caught" ? 503 : 500);
    });
    const server = listen({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" });
    await once(server, "listening");
    await serve(server);`,
  NestJS: `import "reflect-metadata"; import { NestFactory } from "@nestjs/core";
    import { Controller, Get, HttpException, Module } from "@nestjs/common";${ERRORS}
    class Shop {
      ok() { return transaction.id(); }
      boom() { boom(); }
      reject() { return rejected(); }
      declined() { declined(); }
      teapot() { throw new HttpException("short", 418); }
      caught() { throw Object.assign(new HttpException("busy", 503), { name: "RangeError" }); }
    }
    const route = (method, paths) => Get(paths)(Shop.prototype, method,
      Object.getOwnPropertyDescriptor(Shop.prototype, method));
    route("ok", ["/orders/:id", "/api/items/:item", "/api/carts/:cart/lines/:line",
      "/tenants/:tenant/items/:item", "/tenants/:tenant/carts/:cart/lines/:line"]);
    route("boom", "/throw"); route("reject", "/reject"); route("declined", "/expected");
    route("teapot", "/teapot"); route("caught", "/caught");
    Controller()(Shop);
    class Root {}
    Module({ controllers: [Shop] })(Root);
    const app = await NestFactory.create(Root, { logger: false });
    await app.listen(0, "127.0.0.1");
    await serve(app.getHttpServer());`,
};
