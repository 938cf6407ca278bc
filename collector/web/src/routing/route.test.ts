import { expect, test } from "vitest";
import { parseRoute, type Route, transactionPath } from "./route.ts";

test.each<[path: string, want: Route]>([
  ["/transactions/%E0%A4%A", { page: "unknown" }],
  ["/transactions/a/b", { page: "unknown" }],
  ["/elsewhere", { page: "unknown" }],
  ["/logs/1", { page: "unknown" }],
  ["/", { page: "transactions" }],
  ["", { page: "transactions" }],
  ["/transactions", { page: "transactions" }],
  ["/transactions/", { page: "transactions" }],
  ["/transactions/order%3A7", { page: "transaction", transactionId: "order:7" }],
  ["/logs", { page: "logs" }],
  ["/services/", { page: "services" }],
])("parseRoute(%s)", (path, want) => expect(parseRoute(path)).toEqual(want));

test("a path leads back to its ID", () => {
  const transactionId = "a:b.c-1";
  expect(parseRoute(transactionPath(transactionId))).toEqual({
    page: "transaction",
    transactionId,
  });
});
