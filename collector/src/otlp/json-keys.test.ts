import { describe, expect, it } from "vitest";
import { JsonKeys } from "./json-keys.ts";
import { JsonText } from "./json-text.ts";
import { MESSAGE_SCHEMAS } from "./message-schema.ts";

const NAMES = ["key", "name", "traceId", "traceState", "startTimeUnixNano"];

describe("known keys", () => {
  it("are found wherever the search begins", () => {
    for (let expected = 0; expected <= NAMES.length; expected++) {
      NAMES.forEach((name, index) => {
        expect(find(NAMES, `${name}":1`, expected)).toBe(index);
        expect(find(NAMES, `${name}"`, expected)).toBe(index);
      });
    }
  });

  it.each([
    "",
    '"',
    "key",
    'Key"',
    'keys"',
    'nam"',
    'names"',
    'traceIe"',
    'startTimeUnixNan"',
    "é",
  ])("are not seen in %j", (text) => {
    expect(find(NAMES, text, 0)).toBe(-1);
    expect(find(NAMES, `${text}:"key"`, 0)).toBe(-1);
  });

  it("tell all fields of a message apart, by either name", () => {
    expect(MESSAGE_SCHEMAS.length).toBeGreaterThan(20);
    for (const { fields, byName, jsonKeys, snakeKeys } of MESSAGE_SCHEMAS) {
      for (const [name, field] of byName) {
        const keys = fields[findIn(jsonKeys, `${name}"`)] === field ? jsonKeys : snakeKeys;
        expect(fields[findIn(keys, `${name}"`)]).toBe(field);
      }
    }
  });

  it("may not be shorter than a word with their quote", () => {
    expect(() => new JsonKeys(["id"])).toThrow("cannot look for the key id");
  });
});

function find(names: readonly string[], text: string, expected: number): number {
  return findIn(new JsonKeys(names), text, expected);
}

function findIn(keys: JsonKeys, text: string, expected = 0): number {
  return keys.find(new JsonText(Buffer.from(text)), 0, expected);
}
