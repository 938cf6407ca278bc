import { expect, test } from "vitest";
import { DEFAULT_OUTBOUND_HOSTS } from "./config.ts";
import { createHostFilter } from "./host-filter.ts";

const byDefault = createHostFilter(DEFAULT_OUTBOUND_HOSTS);

test.each<[string, boolean]>([
  ["localhost", true],
  ["shop.localhost", true],
  ["127.0.0.1", true],
  ["127.9.9.9", true],
  ["[::1]", true],
  ["::1", true],
  ["10.1.2.3", true],
  ["172.16.0.1", true],
  ["172.31.255.255", true],
  ["172.32.0.1", false],
  ["192.168.1.1", true],
  ["[fd00::1]", true],
  ["[2001:db8::1]", false],
  ["169.254.169.254", false],
  ["8.8.8.8", false],
  ["payments", true],
  ["PAYMENTS", true],
  ["payments.default.svc", true],
  ["db.internal", true],
  ["db.internal.", true],
  ["internal.evil.com", false],
  ["evilinternal.com", false],
  ["10.evil.com", false],
  ["127.0.0.1.evil.com", false],
  ["example.com", false],
  ["", false],
])("by default %s: %s", (host, want) => {
  expect(byDefault(host)).toBe(want);
  expect(byDefault(host)).toBe(want);
});

test.each<[string, string, boolean]>([
  ["api.example.com", "api.example.com", true],
  ["api.example.com", "API.example.com", true],
  ["api.example.com", "x.api.example.com", false],
  ["*.example.com", "a.b.example.com", true],
  ["*.example.com", "example.com", false],
  ["*.example.com", "evilexample.com", false],
  ["*", "anything.com", true],
  ["203.0.113.7", "203.0.113.7", true],
  ["[2001:db8::1]", "2001:db8::1", true],
  ["loopback", "payments", false],
])("pattern %s, host %s: %s", (pattern, host, want) => {
  expect(createHostFilter([pattern])(host)).toBe(want);
});
