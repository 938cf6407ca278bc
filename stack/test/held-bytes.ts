import { expect, vi } from "vitest";
import { REQUEST_OVERHEAD_BYTES } from "../../collector/src/receive/in-flight-bytes.ts";
import { RawConnection } from "../../collector/test/receiver-harness.ts";
import type { RealCollector } from "./real-collector.ts";

export const MIB = 1024 * 1024;
const ROOM_MIB = 4;
/** With these a request may have 1 MiB, and few bytes may be in flight. */
export const ONE_MIB_EACH = {
  CLEW_MAX_REQUEST_BYTES: String(MIB),
  CLEW_MAX_IN_FLIGHT_BYTES: String(ROOM_MIB * MIB),
} as const;

/**
 * Takes up all bytes that may be in flight by requests whose bodies do not come: real overload,
 * that lasts until `release`. The collector was started with `ONE_MIB_EACH`.
 */
export async function holdAllBytes(
  collector: RealCollector,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ release: () => Promise<void> }> {
  const port = Number(new URL(collector.otlpUrl).port);
  const all = ROOM_MIB * MIB;
  const whole = MIB - REQUEST_OVERHEAD_BYTES;
  const holders = Array.from({ length: ROOM_MIB }, () => new RawConnection(port));
  for (const holder of holders) holder.write(headOf({ ...headers, "Content-Length": `${whole}` }));
  await vi.waitFor(async () => expect(await inFlightBytes(collector)).toBe(all));
  return {
    release: async () => {
      for (const { socket } of holders) socket.destroy();
      await vi.waitFor(async () => expect(await inFlightBytes(collector)).toBe(0));
    },
  };
}

function headOf(headers: Readonly<Record<string, string>>): string {
  const all = { Host: "localhost", "Content-Type": "application/x-protobuf", ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST /v1/logs HTTP/1.1\r\n${lines.join("")}\r\n`;
}

/** One of the figures of `/metrics`: the sum over its labels, or over those that match. */
export async function metricOf(collector: RealCollector, pattern: RegExp): Promise<number> {
  const response = await fetch(`${collector.queryUrl}/metrics`);
  expect(response.status).toBe(200);
  const lines = (await response.text()).split("\n").filter((line) => pattern.test(line));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" "))), 0);
}

function inFlightBytes(collector: RealCollector): Promise<number> {
  return metricOf(collector, /^clew_receive_in_flight_bytes /);
}
