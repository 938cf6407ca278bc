import { expect, it } from "vitest";
import { otelIndexingConfig } from "./otel-indexing-config.ts";

const SETTING = {
  brokers: ["127.0.0.1:9092"],
  topic: "clew.logs",
  groupId: "peer-1",
  elasticsearchUrl: "http://127.0.0.1:9200",
};

it("leaves the queue as it is, or is as careful as ours", () => {
  const queued = otelIndexingConfig({ ...SETTING, hasQueue: true });
  expect(queued).toContain('brokers: ["127.0.0.1:9092"]\n    group_id: "peer-1"\n');
  expect(queued).toContain("initial_offset: earliest");
  expect(queued).not.toMatch(/sending_queue|message_marking/);
  const careful = otelIndexingConfig({ ...SETTING, hasQueue: false });
  expect(careful).toContain(
    'endpoint: "http://127.0.0.1:9200"\n    sending_queue: {enabled: false}',
  );
  expect(careful).toContain("message_marking: {after: true}");
});
