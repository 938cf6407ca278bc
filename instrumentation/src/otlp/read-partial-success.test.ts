import { expect, test } from "vitest";
import { readPartialSuccess } from "./read-partial-success.ts";

const NOTHING = { rejected: 0, message: "" };

test.each<[string, string, object]>([
  ["empty", "", NOTHING],
  ["a partial success", "0a06" + "0803" + "12026869", { rejected: 3, message: "hi" }],
  ["only a message", "0a04" + "12026869", { rejected: 0, message: "hi" }],
  ["an empty partial success", "0a00", NOTHING],
  ["a large count", "0a04" + "08ffff7f", { rejected: 2_097_151, message: "" }],
  ["cut off", "0a06" + "0803", NOTHING],
  ["a varint without end", "ffffffffffffffffffffffffff", NOTHING],
  ["a wire type that is not in use", "0f01", NOTHING],
  ["text", Buffer.from("<html>").toString("hex"), NOTHING],
])("%s", (_, hex, want) => {
  expect(readPartialSuccess(Buffer.from(hex, "hex"))).toEqual(want);
});
