import { describe, expect, test } from "vitest";
import { areAllCreated, readError, readOutcomes, toStallError } from "./bulk-answer.ts";

function answer(...items: { status: number; type?: string; reason?: string }[]): Buffer {
  const create = items.map(({ status, type, reason }) => ({
    create: { status, ...(type !== undefined && { error: { type, reason: reason ?? "why" } }) },
  }));
  return Buffer.from(JSON.stringify({ errors: true, items: create }));
}

describe("the outcome of a document", () => {
  test.each<[number, string | undefined, string]>([
    [201, undefined, "created"],
    [200, undefined, "created"],
    [409, "version_conflict_engine_exception", "existing"],
    [429, "es_rejected_execution_exception", "busy"],
    [429, "circuit_breaking_exception", "busy"],
    [500, "exception", "unsure"],
    [503, "unavailable_shards_exception", "unsure"],
    [400, "document_parsing_exception", "refused"],
    [400, "mapper_parsing_exception", "refused"],
    [400, "illegal_argument_exception", "refused"],
    [413, "too_large", "refused"],
    [422, "something_new", "refused"],
  ])("status %i %s is %s", (status, type, kind) => {
    const item = { status, ...(type !== undefined && { type }) };
    expect(readOutcomes(answer(item), 1)).toMatchObject([{ kind }]);
  });

  test.each<[number, string, string, string, RegExp]>([
    [403, "cluster_block_exception", "index write (api)", "STORE_UNAVAILABLE", /block is removed/],
    [429, "cluster_block_exception", "read-only-allow-delete", "STORE_FULL", /read-only/],
    [403, "security_exception", "not allowed", "STORE_REFUSED", /denies a right: not allowed/],
    [401, "security_exception", "who?", "STORE_REFUSED", /API_KEY/],
    [404, "index_not_found_exception", "no index", "STORE_UNAVAILABLE", /clew setup/],
    [400, "index_closed_exception", "closed", "STORE_UNAVAILABLE", /open the index/],
    [400, "validation_exception", "1000 shards open", "STORE_UNAVAILABLE", /1000 shards/],
    [400, "illegal_argument_exception", "no write index is defined", "STORE_UNAVAILABLE", /write/],
  ])(
    "status %i %s (%s) is nobody's fault but the store's: %s",
    (status, type, reason, code, says) => {
      const read = () => readOutcomes(answer({ status: 201 }, { status, type, reason }), 2);
      expect(read).toThrow(expect.objectContaining({ code, message: expect.stringMatching(says) }));
    },
  );

  test("tells the causes too, each once and not too long", () => {
    const caused_by = { reason: "the cause", caused_by: { reason: "the cause" } };
    const error = { type: "document_parsing_exception", reason: "it failed", caused_by };
    const body = Buffer.from(JSON.stringify({ items: [{ create: { status: 400, error } }] }));
    expect(readOutcomes(body, 1)).toMatchObject([{ error: { reason: "it failed: the cause" } }]);
    const long = answer({ status: 400, type: "t", reason: "x".repeat(9_000) });
    const [outcome] = readOutcomes(long, 1);
    expect(outcome?.kind === "refused" && outcome.error.reason.length).toBe(1_000);
  });

  test.each(["", "<html>", "[]", "{}", '{"items":[]}', '{"items":[{},{}]}', "null"])(
    "is not made up from the answer %j",
    (text) => {
      const read = () => readOutcomes(Buffer.from(text), 1);
      expect(read).toThrow(expect.objectContaining({ code: "STORE_UNAVAILABLE" }));
    },
  );
});

test("an answer without errors is known by its beginning", () => {
  expect(areAllCreated(Buffer.from('{"errors":false,"items":[]}'))).toBe(true);
  expect(areAllCreated(Buffer.from('{"errors":true,"items":[]}'))).toBe(false);
  expect(areAllCreated(Buffer.from("{"))).toBe(false);
  expect(areAllCreated(Buffer.from(""))).toBe(false);
});

test.each<[number, string, string]>([
  [503, "<html>down</html>", "<html>down</html>"],
  [413, "", ""],
  [400, '{"error":"plain","status":400}', "plain"],
  [400, '{"error":{"type":"parse_exception","reason":"no newline"}}', "no newline"],
])("the error of a whole request: %i %s", (status, body, reason) => {
  expect(readError(status, Buffer.from(body))).toMatchObject({ status, reason });
  expect(toStallError(readError(status, Buffer.from(body)), "write").message).toContain("write");
});
