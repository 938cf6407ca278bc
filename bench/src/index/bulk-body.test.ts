import { expect, it } from "vitest";
import { readBulkBody } from "./bulk-body.ts";
import { BulkReply } from "./bulk-reply.ts";

const BODY = [
  '{"create":{"_index":"logs-a","_id":"run-1"}}',
  '{"message":"one","attributes":{"log.record.uid":"not this"}}',
  '{"create":{"_index":"logs-b"}}',
  '{"message":"two","attributes":{"log.record.uid":"run-2"}}',
  '{"create":{}}',
  "{}",
  "",
].join("\n");

it("tells documents by their id, or by the record uid in them", () => {
  expect([...readBulkBody(Buffer.from(BODY))]).toEqual([
    { id: "run-1", name: "run-1", index: "logs-a" },
    { id: undefined, name: "run-2", index: "logs-b" },
    { id: undefined, name: undefined, index: undefined },
  ]);
});

it.each([
  ["another action", '{"delete":{"_id":"1"}}\n{}\n', "it creates no document"],
  ["no document", '{"create":{}}\n', "the last line has no end"],
  ["no last end of line", '{"create":{}}\n{}', "the last line has no end"],
])("refuses %s", (_, body, reason) => {
  expect(() => [...readBulkBody(Buffer.from(body))]).toThrow(reason);
});

it.each([
  [
    "/_bulk",
    '{"errors":false,"took":1,"items":[{"create":{"_index":"a","_id":"1","status":201}}]}',
  ],
  [
    "/a/_bulk?filter_path=errors%2Citems.*.status%2Citems.*.error",
    '{"errors":false,"took":1,"items":[{"create":{"status":201}}]}',
  ],
  ["/_bulk?filter_path=errors,items.*.error.type", '{"errors":false,"took":1}'],
])("answers %s as it asks for", (path, want) => {
  const reply = new BulkReply(path);
  reply.add({ id: "1", name: "1", index: "a" });
  expect(reply.toString()).toBe(want);
});
