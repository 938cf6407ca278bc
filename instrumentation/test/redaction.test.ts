import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runApp } from "./app-process.ts";

/** Everything that was sent, byte by byte. */
let sent = Buffer.alloc(0);
let endpoint = "";
const folder = mkdtempSync(join(tmpdir(), "clew-redaction-"));
const server = createServer((request, response) => {
  request.on("data", (chunk: Buffer) => {
    sent = Buffer.concat([sent, chunk]);
  });
  request.on("end", () => response.writeHead(200).end());
});

beforeEach(async () => {
  sent = Buffer.alloc(0);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJTRUNSRVQifQ.c2lnbmF0dXJlLVNFQ1JFVA";

/** Fields, each with a secret that must not arrive: `S` and a number, or the text itself. */
const FIELDS: Readonly<Record<string, unknown>> = {
  password: "S01-secret",
  userPassword: "S02 with spaces, commas; and more",
  "x-api-key": "S03",
  Authorization: "Bearer S04",
  "set-cookie": ["sid=S05; Path=/", "b=S06"],
  deep: { headers: { cookie: "sid=S07", Authorization: "S08" }, list: [{ accessToken: "S09" }] },
  client_secret: { nested: { anything: "S10" } },
  cvv: 734_911,
  cardNumber: 4_111_111_111_111_111,
  card: "4012 8888 8888 1881",
  url: "https://ann:S11@db.internal/x?token=S12&page=1",
  text: 'it said {"password":"S13","user":"ann"} and { apiKey: \'S14\' }',
  jwt: `carried ${JWT} along`,
  header: "Authorization: Basic UzE1OlMxNQ==",
  map: new Map([["refresh_token", "S16"]]),
  "query password=S17": 1,
};
const SECRETS = [
  ...Array.from({ length: 17 }, (_, index) => `S${String(index + 1).padStart(2, "0")}`),
  ...["734911", "4111111111111111", "4012 8888 8888 1881", JWT, "UzE1OlMxNQ"],
];
/** What is no secret, and says that the records did arrive with the rest of the text. */
const KEPT = ["ann", "page=1", "carried ", " along", "it said ", "db.internal/x", "[redacted]"];

const PRELUDE = `
  import { trace, logs } from "@opentelemetry/api";
  import bunyan from "bunyan";
  import pino from "pino";
  import winston from "winston";
  import { inspect } from "node:util";
  const fields = {
    ...${JSON.stringify(FIELDS)}, map: new Map([["refresh_token", "S16"]]),
  };
  const text = inspect(fields, { depth: 9 });
  const cause = new Error("token=S01");
  const error = Object.assign(new Error(text, { cause }), { password: "S02" });
  const nowhere = { write: () => true };
`;

const SUBJECTS: Readonly<Record<string, string>> = {
  "pino's fields": "pino({}, nowhere).info(fields, 'x')",
  "pino's bindings": "pino({}, nowhere).child(fields).info('x')",
  "pino's plain fields": `const { url, jwt } = fields;
    pino({}, nowhere).info({ password: "S01", text: fields.text, url, jwt }, "x")`,
  "pino's message": "pino({}, nowhere).info(text)",
  "pino's error": "pino({}, nowhere).error(error)",
  "winston's fields":
    "winston.createLogger({ transports: [new winston.transports.Console()] }).info('x', fields)",
  "winston's message":
    "winston.createLogger({ transports: [new winston.transports.Console()] }).info(text)",
  "winston's error":
    "winston.createLogger({ transports: [new winston.transports.Console()] }).error(error)",
  "bunyan's fields": "bunyan.createLogger({ name: 'b', stream: nowhere }).info(fields, 'x')",
  "bunyan's message": "bunyan.createLogger({ name: 'b', stream: nowhere }).info(text)",
  "bunyan's error": "bunyan.createLogger({ name: 'b', stream: nowhere }).error(error)",
  "the console": "console.log(fields); console.log(text); console.error(error);",
  "the logs API": `logs.getLogger("l").emit({ body: fields, attributes: { text, ...fields } });
    logs.getLogger("l").emit({ body: text, exception: error });`,
  spans: `const span = trace.getTracer("t").startSpan("span " + text);
    span.setAttribute("text", text);
    span.setAttributes({ password: "S01", token: ["S02"], url: fields.url });
    span.addEvent("event " + text, { cookie: "S03", text });
    span.addLink({ context: span.spanContext(), attributes: { secret: "S04", text } });
    span.recordException(error);
    span.setStatus({ code: 2, message: text }).end();`,
};

test.each(Object.entries(SUBJECTS))("16: no secret leaves in %s", async (_name, code) => {
  const { stderr } = await runApp({ code: PRELUDE + code, endpoint });
  expect(stderr).not.toContain("clew:");
  const text = sent.toString("latin1");
  expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
  expect(KEPT.filter((kept) => !text.includes(kept))).toEqual([]);
});

test("16: nothing unredacted is on disk while the collector is away", async () => {
  server.closeAllConnections();
  const code = `${PRELUDE} console.log(text); pino({}, nowhere).info(fields, text);
    const span = trace.getTracer("t").startSpan("s"); span.setAttribute("text", text).end();`;
  const env = { CLEW_SPOOL_DIR: folder };
  await runApp({ code, endpoint: "http://127.0.0.1:9", env });
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const bytes = files.map((file) => readFileSync(join(file.parentPath, file.name), "latin1"));
  const text = bytes.join("\n");
  expect(text).toContain("it said ");
  expect(SECRETS.filter((secret) => text.includes(secret))).toEqual([]);
});

test("16: CLEW_REDACT adds names; off turns all of it off; IDs are never touched", async () => {
  const code = `${PRELUDE} import { transaction } from "@clew/instrumentation";
    transaction.run("4111111111111111", () => {
      const own = { homeIBAN: "DE89-secret", user: "ann", password: "S01" };
      pino({}, nowhere).info(own, "iban: DE90");
    });`;
  await runApp({ code, endpoint, env: { CLEW_REDACT: "iban, user.email" } });
  expect(sent.toString("latin1")).not.toMatch(/DE89|DE90|S01/);
  expect(sent.toString("latin1")).toMatch(/4111111111111111[\s\S]*ann/);
  sent = Buffer.alloc(0);
  await runApp({ code, endpoint, env: { CLEW_REDACT: "off" } });
  expect(sent.toString("latin1")).toMatch(/DE90[\s\S]*DE89-secret[\s\S]*S01/);
});
