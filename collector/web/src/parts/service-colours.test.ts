import { expect, test } from "vitest";
import { SERVICE_COLOURS, serviceColour, serviceColours } from "./service-colours.ts";

test("up to as many services as hues, no two share one", () => {
  const names = Array.from({ length: SERVICE_COLOURS }, (_, i) => `service-${i}`);
  expect(new Set(serviceColours(names).values()).size).toBe(SERVICE_COLOURS);
});

test("more services than hues still get one each", () => {
  const names = Array.from({ length: SERVICE_COLOURS * 5 }, (_, i) => `service-${i}`);
  const colours = serviceColours(names);
  expect(colours.size).toBe(names.length);
  for (const colour of colours.values()) expect(colour).toBeLessThan(SERVICE_COLOURS);
});

test("the order in which services come does not matter, nor do repeats", () => {
  const a = serviceColours(["orders", "payments", "shipping"]);
  const b = serviceColours(["shipping", "orders", "payments", "orders"]);
  expect([...a].sort()).toEqual([...b].sort());
  expect(serviceColours(["orders"]).get("orders")).toBe(serviceColour("orders"));
});
