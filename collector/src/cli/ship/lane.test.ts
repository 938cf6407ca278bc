import { expect, test } from "vitest";
import { Lane } from "./lane.ts";

test("moves over what is acknowledged without a gap, in whatever order that comes", () => {
  const lane = new Lane({ position: 0, cuts: [] });
  const [first, second, third] = [lane.open(10), lane.open(20), lane.open(30)];
  lane.acknowledge(third);
  expect(lane.position).toBe(0);
  lane.acknowledge(first);
  expect(lane.position).toBe(10);
  expect(lane.isAcknowledged).toBe(false);
  lane.acknowledge(second);
  expect(lane.position).toBe(30);
  expect(lane.isAcknowledged).toBe(true);
});

test("a batch takes the end that it has when it is acknowledged", () => {
  const lane = new Lane({ position: 0, cuts: [] });
  const stretch = lane.open(10);
  stretch.end = 50;
  lane.acknowledge(stretch);
  expect(lane.position).toBe(50);
});

test("never moves back", () => {
  const lane = new Lane({ position: 40, cuts: [] });
  lane.moveTo(20);
  expect(lane.position).toBe(40);
});

test("remembers cuts until they are behind the position", () => {
  const lane = new Lane({ position: 0, cuts: [5] });
  lane.add(12);
  expect(lane.hasBetween(12, 12)).toBe(true);
  expect(lane.hasBetween(13, 20)).toBe(false);
  expect(lane.place).toEqual({ position: 0, cuts: [5, 12] });
  lane.moveTo(12);
  expect(lane.place).toEqual({ position: 12, cuts: [] });
});
