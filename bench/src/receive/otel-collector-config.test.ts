import { expect, it } from "vitest";
import { otelCollectorConfig } from "./otel-collector-config.ts";

const SETTING = {
  httpPort: 4001,
  grpcPort: 4002,
  brokers: ["127.0.0.1:9", "127.0.0.1:8"],
  topic: "peer.logs",
};

it("asks for acknowledgement by all replicas, and differs in the queue only", () => {
  const withQueue = otelCollectorConfig({ ...SETTING, hasQueue: true });
  const withoutQueue = otelCollectorConfig({ ...SETTING, hasQueue: false });
  expect(withQueue).toContain("required_acks: -1");
  expect(withQueue).toContain('brokers: ["127.0.0.1:9","127.0.0.1:8"]');
  expect(withoutQueue.replace("    sending_queue: {enabled: false}\n", "")).toBe(withQueue);
  expect(withoutQueue).not.toBe(withQueue);
});
