import { expect, test } from "vitest";
import { BulkBody } from "./bulk-body.ts";
import { JsonBuffer } from "./json-buffer.ts";

function bodyOf(ids: readonly string[]): BulkBody {
  const body = new BulkBody("logs", new JsonBuffer(1));
  for (const [place, id] of ids.entries()) {
    body.json.utf8(`{"create":{"_id":"${id}"}}\n{"${id}":"${"ä".repeat(place)}"}\n`);
    body.end(id, 10 + place);
  }
  return body;
}

test("some documents of a request are another request, byte by byte", () => {
  const body = bodyOf(["a", "b", "c", "d"]);
  const some = body.select([1, 3]);
  expect(some.json.view().toString()).toBe(
    '{"create":{"_id":"b"}}\n{"b":"ä"}\n{"create":{"_id":"d"}}\n{"d":"äää"}\n',
  );
  expect([some.ids, some.places, some.stream]).toEqual([["b", "d"], [11, 13], "logs"]);
  expect(some.select([1]).ids).toEqual(["d"]);
  expect(body.select([]).documents).toBe(0);
});

test("halves hold every document once, in order", () => {
  const body = bodyOf(["a", "b", "c"]);
  const halves = body.halves();
  expect(halves.map(({ ids }) => ids)).toEqual([["a", "b"], ["c"]]);
  const bytes = Buffer.concat(halves.map(({ json }) => json.view()));
  expect(bytes.equals(body.json.view())).toBe(true);
});
