import { expect, test } from "vitest";
import { queryString } from "./query-string.ts";

test.each<[values: Record<string, string | number | null>, want: string]>([
  [{}, ""],
  [{ a: "", b: null }, ""],
  [{ a: 0 }, "?a=0"],
  [{ q: 'a&b="c d"', limit: 5 }, "?q=a%26b%3D%22c+d%22&limit=5"],
])("queryString %#", (values, want) => expect(queryString(values)).toBe(want));
