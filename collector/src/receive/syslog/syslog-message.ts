import { findEventTime } from "../../lines/event-time.ts";
import { findLegacyTime } from "./legacy-time.ts";
import { findStructuredData, type StructuredDatum } from "./structured-data.ts";
import { findSyslogPriority, type SyslogPriority } from "./syslog-priority.ts";

/**
 * How much of a message could be read: all as RFC 5424 or as RFC 3164, the header of RFC 5424 and
 * nothing behind it (`damaged`), or at most a priority and a time (`text`).
 */
export type SyslogFormat = "rfc5424" | "rfc3164" | "damaged" | "text";
export const SYSLOG_FORMATS: readonly SyslogFormat[] = ["rfc5424", "rfc3164", "damaged", "text"];

export interface SyslogMessage {
  readonly format: SyslogFormat;
  readonly priority: SyslogPriority | undefined;
  /** Of RFC 5424; the older has none. */
  readonly version: number | undefined;
  /** Unix time; undefined where the message has none. */
  readonly timeNs: bigint | undefined;
  readonly host: string | undefined;
  /** APP-NAME, or the tag of RFC 3164. */
  readonly app: string | undefined;
  readonly procId: string | undefined;
  readonly msgId: string | undefined;
  readonly structuredData: readonly StructuredDatum[];
  /** MSG, or whatever could not be read as something else. */
  readonly text: string;
}

const BYTE_ORDER_MARK = "\ufeff";
const NIL = "-";
/** VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID, RFC 5424 §6.2, up to its structured data. */
const HEADER = /^([1-9]\d{0,2}) (\S{1,64}) (\S{1,255}) (\S{1,255}) (\S{1,255}) (\S{1,255}) /;
const HOST = /^\S{1,255}(?= )/;
/**
 * `tag:`, `tag[123]:`, and `tag[123]` as rsyslog makes of RFC 5424; a colon inside it, as in an
 * IPv6 address, ends nothing.
 */
const TAG = /^([^\s:[\]]{1,128})(?:\[([^\]\s]{1,128})\]:?|:)(?: |$)/;
const TAG_WITH_PROCESS = /^[^\s:[\]]{1,128}\[\d{1,20}\]:(?: |$)/;
/** Cisco's sequence number and origin before the time. */
const DEVICE_PREFIX = /^(?:\d{1,20}: )?(?:[\w.-]{1,255}: )?/;

/**
 * Reads one message, whatever it is: nothing is refused, and what cannot be read stays in `text`.
 * @param nowMs Unix time, for times without a year
 */
export function readSyslogMessage(line: string, nowMs: number): SyslogMessage {
  const found = findSyslogPriority(line);
  if (found === undefined) return { ...EMPTY, text: line };
  const content = line.slice(found.length);
  const { priority } = found;
  return (
    findRfc5424(content, priority) ??
    findRfc3164(content, priority, nowMs) ?? {
      ...EMPTY,
      priority,
      timeNs: findLegacyTime(content.replace(DEVICE_PREFIX, ""), nowMs)?.timeNs,
      text: content,
    }
  );
}

const EMPTY: SyslogMessage = {
  format: "text",
  priority: undefined,
  version: undefined,
  timeNs: undefined,
  host: undefined,
  app: undefined,
  procId: undefined,
  msgId: undefined,
  structuredData: [],
  text: "",
};

/** RFC 5424 §6: `<PRI>` is read already. */
function findRfc5424(content: string, priority: SyslogPriority): SyslogMessage | undefined {
  const [header, version, time = "", host, app, procId, msgId] = HEADER.exec(content) ?? [];
  if (header === undefined) return undefined;
  const timeNs = findEventTime(time);
  // Where this is not a time, what follows need not be what its place says.
  if (timeNs === undefined && time !== NIL) return undefined;
  const known = {
    priority,
    version: Number(version),
    timeNs,
    host: orNothing(host),
    app: orNothing(app),
    procId: orNothing(procId),
    msgId: orNothing(msgId),
  };
  const found = findStructuredData(content, header.length);
  const rest = found === undefined ? undefined : content.slice(found.end);
  if (found === undefined || rest === undefined || !/^(?: |$)/.test(rest)) {
    return { ...known, format: "damaged", structuredData: [], text: content.slice(header.length) };
  }
  const text = withoutMark(rest.slice(1));
  // A message may be nothing but its data; then they are what there is to show.
  const data = found.params.length > 0 ? content.slice(header.length, found.end) : "";
  return { ...known, format: "rfc5424", structuredData: found.params, text: text || data };
}

/** RFC 3164 §4.1, best effort: `[TIMESTAMP] [HOSTNAME] [TAG[pid]:] CONTENT`. */
function findRfc3164(
  content: string,
  priority: SyslogPriority,
  nowMs: number,
): SyslogMessage | undefined {
  const time = findLegacyTime(content, nowMs);
  if (time === undefined && !TAG_WITH_PROCESS.test(content)) return undefined;
  const behindTime = time === undefined ? content : content.slice(time.length);
  // Devices end their time with a colon, and have neither host nor tag behind it.
  if (time !== undefined && !behindTime.startsWith(" ")) return undefined;
  const rest = behindTime.trimStart();
  const [host = ""] = TAG.test(rest) ? [] : (HOST.exec(rest) ?? []);
  const behindHost = rest.slice(host.length).replace(/^ /, "");
  const [tag = "", app, procId] = TAG.exec(behindHost) ?? [];
  return {
    ...EMPTY,
    format: "rfc3164",
    priority,
    timeNs: time?.timeNs,
    host: host === "" ? undefined : host,
    app,
    procId,
    text: withoutMark(behindHost.slice(tag.length)),
  };
}

function orNothing(field: string | undefined): string | undefined {
  return field === NIL ? undefined : field;
}

/** RFC 5424 §6.4; and the space that rsyslog puts before what it forwards. */
function withoutMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text.replace(/^ /, "");
}
