import { expect, test } from "vitest";
import { isNetwork, NetworkList } from "./network-list.ts";

test.each([
  ["loopback", true],
  ["private", true],
  ["10.0.0.0/8", true],
  ["192.0.2.7", true],
  ["fd00::/8", true],
  ["::1", true],
  ["0.0.0.0/0", true],
  ["", false],
  ["public", false],
  ["toString", false],
  ["orders", false],
  ["10.0.0.0/33", false],
  ["10.0.0.0/", false],
  ["10.0.0.0/-1", false],
  ["10.0.0.0/8/8", false],
  ["10.0.0/8", false],
  ["fe80::1%eth0", false],
  ["fd00::/129", false],
])("%s is a network: %s", (text, want) => {
  expect(isNetwork(text)).toBe(want);
});

test.each([
  [["loopback"], "127.0.0.1", true],
  [["loopback"], "127.8.8.8", true],
  [["loopback"], "::1", true],
  [["loopback"], "::ffff:127.0.0.1", true],
  [["loopback"], "10.0.0.1", false],
  [["loopback"], "::ffff:10.0.0.1", false],
  [["loopback"], "0.0.0.0", false],
  [["loopback"], "localhost", false],
  [["loopback"], "127.1", false],
  [["private"], "172.31.255.255", true],
  [["private"], "172.32.0.0", false],
  [["private"], "169.254.169.254", false],
  [["private"], "fd12::1", true],
  [["private"], "127.0.0.1", false],
  [["192.0.2.7"], "192.0.2.7", true],
  [["192.0.2.7"], "192.0.2.8", false],
  [["192.0.2.0/24", "loopback"], "192.0.2.8", true],
  [["fe80::/10"], "fe80::1%eth0", false],
  [["nonsense"], "127.0.0.1", false],
  [[], "127.0.0.1", false],
])("%j has %s: %s", (networks, address, want) => {
  expect(new NetworkList(networks).has(address)).toBe(want);
});
