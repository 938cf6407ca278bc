import { describe, expect, test } from "vitest";
import { requireJava } from "../backends/required-programs.ts";
import { ElasticsearchSuite } from "./elasticsearch-suite.ts";
import { metricOf, until } from "./kafka-indexing-bus.ts";
import { LetterCommands } from "./letter-commands.ts";
import { publishRefused } from "./letter-publisher.ts";
import { playLetterStory } from "./letter-story.ts";
import type { RealCollector } from "./real-collector.ts";

const TEST_MS = 240_000;

describe.skipIf(!requireJava("dead letters in Elasticsearch"))("dead letters in ES", () => {
  const suite = new ElasticsearchSuite();

  test(
    "are seen, mended, sent again, given up, by three processes with a role each",
    async () => {
      const bus = await suite.openBus(2);
      const letters = await publishRefused(suite.broker.brokers, bus.prefix);
      const [, index, query] = (await Promise.all(
        ["ingest", "index", "query"].map((role) => suite.startCollector({ CLEW_ROLES: role }, bus)),
      )) as [RealCollector, RealCollector, RealCollector];
      const undecodable = 'clew_dead_letters_total{reason="undecodable"}';
      await until(async () => expect(await metricOf(index, undecodable)).toBe(1));
      const clew = new LetterCommands(query.queryUrl);
      await playLetterStory(clew, { letters, api: query.api });
    },
    TEST_MS,
  );
});
