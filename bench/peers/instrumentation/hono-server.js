import { serve } from "@hono/node-server";
import { Hono } from "hono";
import "./measured.js";

const app = new Hono();
app.get("/hello", (c) => c.text("hello"));
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => process.send?.({ port }));
