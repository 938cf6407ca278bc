import { expect, it } from "vitest";
import { maskMessage, TOKENS_MAX } from "./mask-message.ts";

it("takes what differs out of a message", () => {
  const check = (message: string, want: string) =>
    expect(maskMessage(message).join(" "), message).toBe(want);
  check("", "");
  check("  order 42   accepted ", "order <*> accepted");
  check("user_id=7, total=12.50 EUR", "user_id=<*>, total=<*> EUR");
  check("GET /orders/42/items 200 in 12.5ms", "GET /orders/<*>/items <*> in <*>");
  check("at 2026-03-01T12:00:00.123Z from 10.0.0.1:8080", "at <*> from <*>");
  check("id 8f14e45f-ceea-467f-a9c4-1d2e3f405162 gone", "id <*> gone");
  check("trace 4bf92f3577b34da6 [12] (3)", "trace <*> [<*>] (<*>)");
  check("range -5..+7 of 1e-9", "range <*> of <*>");
  check("Überweisung Nr٣ 日本", "Überweisung <*> 日本");
  check("failed\n    at Order.place (order.ts:12)", "failed");
  check("\n\nfailed late", "failed late");
  check('{"order":42,"ok":true}', '{"order":<*>,"ok":true}');
});

it("is bounded, whatever the message", () => {
  const tokens = maskMessage("word ".repeat(5000));
  expect(tokens).toHaveLength(TOKENS_MAX + 1);
  expect(tokens.at(-1)).toBe("…");
  expect(maskMessage("x".repeat(1_000_000)).join("").length).toBe(2048);
  expect(maskMessage("1".repeat(1_000_000))).toEqual(["<*>"]);
  expect(maskMessage(`${"a-1.".repeat(100_000)}`)).toHaveLength(1);
});
