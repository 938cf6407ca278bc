import { expect, test } from "vitest";
import { shortId } from "./short-id.ts";

test.each<[id: string, want: string]>([
  ["", ""],
  ["order-7", "order-7"],
  ["x".repeat(26), "x".repeat(26)],
  ["01989c5e-7d2a-7c31-9f10-6a2b3c4d5e6f", "01989c5e…6a2b3c4d5e6f"],
])("shortId(%s) is %s", (id, want) => expect(shortId(id)).toBe(want));
