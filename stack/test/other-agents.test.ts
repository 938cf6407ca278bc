/** Issue 4, scenario 20: beside the real agents of other makers, loaded before ours and after. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { instrumentationPeers } from "../../bench/src/instrumentation/bench-project.ts";
import { REGISTER, runApp } from "../../instrumentation/test/app-process.ts";
import { OtlpSink } from "../../instrumentation/test/otlp-sink.ts";
import { otherAgents } from "../backends/other-agents.ts";
import { readBackendsConfig } from "../config.ts";

const INSTALL_MS = 300_000;
const APP_MS = 60_000;

/** A service that calls itself once by each client, and prints what those requests were sent. */
const CALLS_ITSELF = `
  const http = require("node:http");
  const server = http.createServer(async (request, response) => {
    if (request.url === "/inner") return response.end(JSON.stringify(request.headers));
    console.log("in the handler");
    const inner = "http://127.0.0.1:" + server.address().port + "/inner";
    const fetched = await (await fetch(inner)).json();
    http.get(inner, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece) => { text += piece; }).on("end", () => {
        response.end(JSON.stringify([fetched, JSON.parse(text)]));
      });
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    const headers = { "x-transaction-id": "T-1" };
    http.get({ host: "127.0.0.1", port, agent: false, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece) => { text += piece; }).on("end", () => {
        process.stderr.write("\\nseen " + JSON.stringify({
          echo: answer.headers["x-transaction-id"], inner: JSON.parse(text),
        }) + "\\n");
        server.close(() => process.exit(0));
        server.closeAllConnections();
      });
    });
  });
`;

const REQUESTS = 3;
/** SpanKind of OTLP. */
const SERVER = 2;

const AGENTS = [
  { name: "elastic-apm-node", entry: "elastic-apm-node/start.js" },
  {
    name: "@opentelemetry/auto-instrumentations-node",
    entry: "@opentelemetry/auto-instrumentations-node/register",
  },
  { name: "@elastic/opentelemetry-node", entry: "@elastic/opentelemetry-node" },
];

let folders: readonly string[];
beforeAll(async () => {
  const { cacheDir } = readBackendsConfig();
  folders = [await otherAgents(cacheDir), await instrumentationPeers(cacheDir)];
}, INSTALL_MS);

let sink: OtlpSink;
let endpoint: string;
beforeEach(async () => {
  sink = new OtlpSink();
  endpoint = await sink.start();
});
afterEach(() => sink.stop());

describe.each(AGENTS)("beside $name", ({ entry }) => {
  test.each(["before", "after"])(
    "loaded %s ours: no crash, IDs still flow",
    async (order) => {
      const agent = ["--import", resolveIn(folders, entry)];
      const args = order === "before" ? [...agent, ...REGISTER] : [...REGISTER, ...agent];
      const env = {
        ELASTIC_APM_DISABLE_SEND: "true",
        ELASTIC_APM_LOG_LEVEL: "off",
        OTEL_METRICS_EXPORTER: "none",
        // Others would ask cloud providers' addresses who we are.
        OTEL_NODE_RESOURCE_DETECTORS: "env",
      };
      const end = await runApp({ code: CALLS_ITSELF, endpoint, env, args });
      expect(end, end.stderr).toMatchObject({ code: 0, signal: null });
      const [, seen = ""] = /\nseen (.*)\n/.exec(end.stderr) ?? [];
      const id = { "x-transaction-id": "T-1" };
      expect(JSON.parse(seen)).toMatchObject({ echo: "T-1", inner: [id, id] });
      const line = sink.logs.find(({ body }) => body === "in the handler");
      expect(line?.attributes["clew.transaction.id"]).toBe("T-1");
      // One for each request, or none where the other traces: never one of each.
      const served = sink.spans.filter(({ kind }) => kind === SERVER);
      expect(served).toHaveLength(isLeftToOther(entry, order) ? 0 : REQUESTS);
    },
    APP_MS,
  );
});

/** OpenTelemetry's API keeps the SDK that is first. */
function isLeftToOther(entry: string, order: string): boolean {
  return order === "before" && entry.includes("opentelemetry");
}

function resolveIn(within: readonly string[], entry: string): string {
  for (const folder of within) {
    try {
      return createRequire(join(folder, "package.json")).resolve(entry);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "MODULE_NOT_FOUND") throw error;
    }
  }
  throw new Error(`cannot find ${entry}: it is in none of ${within.join(", ")}`);
}
