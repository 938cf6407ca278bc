import { expect, test } from "vitest";
import { instrumentationStats } from "../stats.ts";
import { formatBaggage, parseBaggage } from "./baggage.ts";

const dropped = () => instrumentationStats().transactions.baggageDropped;

/** What goes out again for what came in, and the ID that was read. */
function pass(header: unknown): [string | undefined, string] {
  const { transactionId, others } = parseBaggage(header);
  return [transactionId, formatBaggage("T", others)];
}

test.each<[unknown, string | undefined, string, number]>([
  [undefined, undefined, "", 0],
  ["", undefined, "", 0],
  [["a=1"], undefined, "", 0],
  ["clew.transaction.id=A", "A", "", 0],
  [" clew.transaction.id = A ", "A", "", 0],
  ["clew.transaction.id=A;p=1", "A", "", 0],
  ["a=1,clew.transaction.id=A,b=2;q;r=3", "A", ",a=1,b=2;q;r=3", 0],
  ["a=%C3%A4%20", undefined, ",a=%C3%A4%20", 0],
  ["a=%zz", undefined, ",a=%25zz", 0],
  ["a=", undefined, ",a=", 0],
  ["a=b=c", undefined, ",a=b%3Dc", 0],
  ["nothing", undefined, "", 1],
  ["=1,a=1", undefined, ",a=1", 1],
  ['a="quoted",b=1', undefined, ",b=1", 1],
  ["ä=1,b=ü,c=1", undefined, ",c=1", 2],
  ["a b=1", undefined, "", 1],
  [",,a=1", undefined, ",a=1", 2],
])("%j", (header, id, rest, lost) => {
  const before = dropped();
  expect(pass(header)).toEqual([id, `clew.transaction.id=T${rest}`]);
  expect(dropped() - before).toBe(lost);
});

test("what goes out stays within 64 members and 8192 bytes, and the ID is never cut", () => {
  const many = Array.from({ length: 200 }, (_, index) => `k${index}=${index}`).join();
  const [, passed] = pass(many);
  expect(passed.split(",")).toHaveLength(64);
  const [, long] = pass(`a=${"x".repeat(5000)},b=${"y".repeat(5000)},c=1`);
  expect(long.length).toBeLessThanOrEqual(8192);
  expect(long.startsWith("clew.transaction.id=T,a=xxx")).toBe(true);
  const before = dropped();
  const grown = parseBaggage(`a=${"%20".repeat(2700)}`).others;
  const more = grown?.setEntry("b", { value: "ü".repeat(2000) });
  expect(formatBaggage("T", more).length).toBeLessThanOrEqual(8192);
  expect(dropped()).toBeGreaterThan(before);
});

test("a member that would break the header is left out", () => {
  const others = parseBaggage("ok=1").others?.setEntry("bad key", { value: "1" });
  expect(formatBaggage("T", others)).toBe("clew.transaction.id=T,ok=1");
  expect(formatBaggage("T", others?.setEntry("v", { value: "a\r\nx: y" }))).not.toMatch(/[\r\n]/);
});
