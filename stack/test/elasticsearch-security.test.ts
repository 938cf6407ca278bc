import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { type Environment, runCommand } from "../../collector/test/served-collector.ts";
import type { ElasticsearchAccount } from "../backends/elasticsearch-files.ts";
import { requireJava } from "../backends/required-programs.ts";
import { ElasticsearchSuite } from "./elasticsearch-suite.ts";
import { logsOf, sendLogs, textsOf, until } from "./kafka-indexing-bus.ts";
import type { RealCollector } from "./real-collector.ts";

const TEST_MS = 120_000;
const PASSWORD_BYTES = 12;
const STREAMS = ["logs-clew-*", "traces-clew-*", "clew-dead-letters"];
/** What docs/elasticsearch.md says that each needs, and nothing more. */
const SETUP = account("clew-setup", { cluster: ["monitor", "manage_index_templates"] });
const INDEX = account("clew-index", {
  cluster: ["monitor"],
  indices: [
    { names: STREAMS, privileges: ["create", "read", "view_index_metadata", "auto_configure"] },
  ],
});
const QUERY = account("clew-query", {
  cluster: ["monitor"],
  indices: [
    { names: STREAMS, privileges: ["read", "view_index_metadata", "monitor", "maintenance"] },
  ],
});

describe.skipIf(!requireJava("security on")).each([9, 8] as const)(
  "Elasticsearch %i with security on",
  (major) => {
    const accounts = [SETUP, INDEX, QUERY];
    const suite = new ElasticsearchSuite({ major, security: "tls", accounts });

    function login({ name, password }: ElasticsearchAccount): Environment {
      return {
        CLEW_ELASTICSEARCH_URL: suite.elasticsearch.url,
        CLEW_ELASTICSEARCH_CA: suite.elasticsearch.caFile,
        CLEW_ELASTICSEARCH_USERNAME: name,
        CLEW_ELASTICSEARCH_PASSWORD: password,
      };
    }

    test("an indexer that may not make templates writes nothing, and says why", async () => {
      const { code, stderr } = await runCommand(["serve"], login(INDEX));
      expect(code).toBe(1);
      expect(stderr).toMatch(/cannot set up the component template .*; clew setup makes it/);
      expect(stderr).not.toContain(INDEX.password);
    });

    test("clew setup says what it made, and that it is there the second time", async () => {
      const first = await runCommand(["setup"], login(SETUP));
      expect(first).toMatchObject({ code: 0, stderr: "" });
      expect(first.stdout).toMatch(new RegExp(`^Elasticsearch ${major}\\.\\d+\\.\\d+$`, "m"));
      expect(first.stdout).toMatch(/^ {2}created {2}index template +logs-clew$/m);
      const second = await runCommand(["setup", "--json"], login(SETUP));
      const { kafka, elasticsearch } = JSON.parse(second.stdout);
      expect(kafka).toBeNull();
      const outcomes = elasticsearch.objects.map((object: { outcome: string }) => object.outcome);
      expect(outcomes.length).toBeGreaterThan(3);
      expect(new Set(outcomes)).toEqual(new Set(["present"]));
      const longer = { ...login(SETUP), CLEW_RETENTION_DAYS: "30" };
      expect((await runCommand(["setup"], longer)).stdout).toContain("updated");
    });

    test(
      "each role gets by with the privileges that the docs name",
      async () => {
        expect((await runCommand(["setup"], login(SETUP))).code).toBe(0);
        const bus = await suite.openBus();
        const start = (role: string, env: Environment) =>
          suite.startCollector({ CLEW_ROLES: role, ...env }, bus);
        const [ingest, index, query] = (await Promise.all([
          start("ingest", {}),
          // It may not change what was set up for 7 days, tells so, and does its work.
          start("index", { ...login(INDEX), CLEW_RETENTION_DAYS: "30" }),
          start("query", login(QUERY)),
        ])) as [RealCollector, RealCollector, RealCollector];
        expect(await sendLogs(ingest.otlpUrl, logsOf("secured", ["one", "two"]))).toBe(200);
        await until(async () => expect(await textsOf(query, "secured")).toEqual(["one", "two"]));
        // Delivered again: looked up in every backing index, and found.
        await index.halt("SIGINT");
        await bus.resetOffsets();
        await index.resume();
        await until(async () => {
          const { committed, end } = await bus.offsets();
          expect(committed).toBe(end);
        });
        expect(await textsOf(query, "secured")).toEqual(["one", "two"]);
        for (const each of [ingest, index, query]) {
          expect((await fetch(`${each.queryUrl}/readyz`)).status).toBe(200);
        }
      },
      TEST_MS,
    );

    test.each<[string, () => Environment, RegExp]>([
      [
        "a wrong password",
        () => ({ ...login(INDEX), CLEW_ELASTICSEARCH_PASSWORD: "not-this-one" }),
        /^cannot use Elasticsearch: .*CLEW_ELASTICSEARCH_PASSWORD: unable to authenticate user/,
      ],
      [
        "no login",
        () => ({
          CLEW_ELASTICSEARCH_URL: suite.elasticsearch.url,
          CLEW_ELASTICSEARCH_CA: suite.elasticsearch.caFile,
        }),
        /missing authentication credentials/,
      ],
      [
        "an authority that is not trusted",
        () => ({ ...login(INDEX), CLEW_ELASTICSEARCH_CA: "" }),
        /^cannot use Elasticsearch: no TLS connection .*\(see CLEW_ELASTICSEARCH_CA\)$/,
      ],
    ])("%s ends the start with one line", async (_name, env, why) => {
      const free = {
        CLEW_PORT: "0",
        CLEW_OTLP_HTTP_PORT: "0",
        CLEW_OTLP_GRPC_PORT: "0",
        CLEW_JAEGER_PORT: "0",
      };
      for (const command of ["setup", "serve"]) {
        const { code, stderr } = await runCommand([command], { ...free, ...env() });
        expect(code).toBe(1);
        const lines = stderr.split("\n").filter((line) => line !== "");
        expect(lines).toHaveLength(1);
        expect(lines[0]?.replace(/^clew: /, "")).toMatch(why);
        expect(stderr).not.toContain("not-this-one");
      }
    });
  },
);

function account(
  name: string,
  privileges: NonNullable<ElasticsearchAccount["privileges"]>,
): ElasticsearchAccount {
  return { name, password: randomBytes(PASSWORD_BYTES).toString("base64url"), privileges };
}
