import { describe, expect, it } from "vitest";
import { fields } from "../protobuf-fields.ts";
import { countRecords } from "./count-records.ts";

const record = fields.bytes(2, Buffer.alloc(300, 1));
const scope = (...records: Buffer[]) =>
  fields.bytes(2, Buffer.concat([fields.bytes(1, Buffer.from("scope")), ...records]));
const group = (...scopes: Buffer[]) =>
  fields.bytes(1, Buffer.concat([fields.bytes(1, Buffer.from("resource")), ...scopes]));

describe("counting records", () => {
  it.for([
    ["nothing", Buffer.alloc(0), 0],
    ["a group without records", group(), 0],
    ["one record", group(scope(record)), 1],
    ["several scopes", group(scope(record, record), scope(record)), 3],
    ["several groups", Buffer.concat([group(scope(record)), group(scope(record, record))]), 3],
  ] as const)("finds those of %s", ([, request, want]) => {
    expect(countRecords(request)).toBe(want);
  });

  it.for([
    ["cut in a length", Buffer.from([0x0a, 0x80]), "cut off"],
    ["cut in a field", group(scope(record)).subarray(0, 50), "longer than its message"],
    ["another wire type", Buffer.from([0x08, 0x01]), "field 8"],
  ] as const)("refuses what is %s", ([, request, why]) => {
    expect(() => countRecords(request)).toThrow(why);
  });
});
