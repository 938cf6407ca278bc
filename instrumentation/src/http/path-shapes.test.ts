import { expect, test } from "vitest";
import { PathShapes } from "./path-shapes.ts";

test.each([
  ["/", "/"],
  ["/orders", "/orders"],
  ["/orders/", "/orders/"],
  ["/orders/42/lines", "/orders/{id}/lines"],
  ["/v1/users/0199aabb-ccdd-7eee-8fff-001122334455", "/v1/users/{id}"],
  ["/v100", "/{id}"],
  ["/files/report.final.pdf", "/files/report.final.pdf"],
  ["/carts/%F0%9F%9B%92", "/carts/{id}"],
  [`/x/${"a".repeat(33)}`, "/x/{id}"],
  ["/a/b/c/d/e/f/g/h/i/j", "/a/b/c/d/e/f/g/h/…"],
  ["*", "{id}"],
  ["", ""],
])("%s looks like %s", (path, want) => {
  expect(new PathShapes().find(path)).toBe(want);
});

test("names stay few, whatever paths a scanner tries; those known keep theirs", () => {
  const shapes = new PathShapes();
  const letters = [..."abcdefghijklmnopqrst"];
  const found = letters.flatMap((a) => letters.map((b) => shapes.find(`/${a}${b}`)));
  expect(found.filter((shape) => shape !== undefined)).toHaveLength(200);
  expect(shapes.find("/aa")).toBe("/aa");
  expect(shapes.find("/never-seen")).toBeUndefined();
});
