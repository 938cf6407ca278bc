import { findRfc3339 } from "../query/rfc3339.ts";

/** Columns that a time after the transaction's start takes up. */
export const OFFSET_WIDTH = 10;

/** `0.4 ms`, `812 ms`, `1.23 s`, `4 min 2 s`, `3 h 20 min`: three figures at most. */
export function formatDuration(ms: number): string {
  if (ms < 9.95) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(ms < 9995 ? 2 : 1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  return `${Math.floor(minutes / 1440)} d ${Math.floor((minutes % 1440) / 60)} h`;
}

/** How long after the transaction's start; `?` where either is no time. */
export function formatOffset(time: string | null, startNs: bigint | undefined): string {
  const ns = time === null ? undefined : findRfc3339(time);
  if (ns === undefined || startNs === undefined) return "?";
  const ms = Number(ns - startNs) / 1e6;
  return ms < 0 ? `-${formatDuration(-ms)}` : `+${formatDuration(ms)}`;
}
