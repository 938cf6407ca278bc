import { createSocket } from "node:dgram";
import { once } from "node:events";
import { platform } from "node:os";
import { expect, test } from "vitest";
import { findDrops, KernelDrops, toProcAddress } from "./kernel-drops.ts";

const REST = "00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0";
const TABLE = `   sl  local_address rem_address   st … drops
 8236: 00000000:99B1 ${REST} 1142032 2 0000000015d54dde 0
12802: 0100007F:AB87 ${REST} 1142031 2 00000000bfc9fe98 163
`;

test("finds the drops of one socket in the kernel's table", () => {
  expect(findDrops(TABLE, "0100007F:AB87")).toBe(163);
  expect(findDrops(TABLE, "00000000:99B1")).toBe(0);
  expect(findDrops(TABLE, "0100007F:99B1")).toBeUndefined();
  expect(findDrops("", "0100007F:99B1")).toBeUndefined();
});

test.each([
  ["127.0.0.1", 514, "0100007F:0202"],
  ["0.0.0.0", 5514, "00000000:158A"],
  ["::", 5514, "00000000000000000000000000000000:158A"],
  ["::1", 5514, "00000000000000000000000001000000:158A"],
  ["fe80::1%eth0", 1, "000080FE000000000000000001000000:0001"],
  ["::ffff:127.0.0.1", 1, "0000000000000000FFFF00000100007F:0001"],
])("%s, %i is %s where the low byte comes first", (address, port, want) => {
  expect(toProcAddress(address, port, "LE")).toBe(want);
});

test.runIf(platform() === "linux").each(["127.0.0.1", "::1"])(
  "the kernel knows of a socket at %s",
  async (address) => {
    const socket = createSocket(address === "::1" ? "udp6" : "udp4").bind(0, address);
    await once(socket, "listening");
    expect(await new KernelDrops(socket.address()).read()).toBe(0);
    socket.close();
  },
);
