import { decodeText } from "../../lines/decode-text.ts";
import { findTransactionId } from "../../lines/find-ids.ts";
import { type JsonObject, type JsonValue, parseJson } from "../../lines/json-value.ts";
import type { LineRecord } from "../../lines/line-record.ts";
import type { ShippedRecord } from "../../lines/logs-request.ts";
import { readObject } from "../../lines/object-record.ts";
import {
  findTextSeverity,
  findTextSpanId,
  findTextTime,
  findTextTraceId,
  findTextTransactionId,
} from "../../lines/text-fields.ts";
import { SYSLOG } from "../../wire-names.ts";
import type { StructuredDatum } from "./structured-data.ts";
import type { SyslogFrame } from "./syslog-frames.ts";
import { readSyslogMessage, type SyslogMessage } from "./syslog-message.ts";

type Attributes = Record<string, JsonValue>;

/** What a record has that its message does not say. */
export interface SyslogOrigin {
  readonly uid: string;
  readonly observedNs: bigint;
  readonly peerAddress: string;
  readonly transactionKeys: readonly string[];
}

/** What a sender puts before a message in JSON (CEE, "Lumberjack"). */
const COOKIE = /^@cee: ?(?=\{)/;
const LINE_ENDS = /[\n\r\0]+$/;
const NS_PER_MS = 1_000_000n;
const NO_ATTRIBUTES: JsonObject = {};

/** Reads the message of a frame; undefined where it holds nothing. */
export function findSyslogMessage(bytes: Buffer, observedNs: bigint): SyslogMessage | undefined {
  const text = decodeText(bytes).replace(LINE_ENDS, "");
  if (text === "") return undefined;
  return readSyslogMessage(text, Number(observedNs / NS_PER_MS));
}

/**
 * The record of a message, after appendix A of OpenTelemetry's logs data model ("RFC5424 Syslog").
 * A message in JSON is read as any line of JSON, and says its time and level better than the header
 * before it; of other text only its IDs are looked for, and what the header lacks.
 */
export function toSyslogRecord(
  message: SyslogMessage,
  { isCut }: Pick<SyslogFrame, "isCut">,
  origin: SyslogOrigin,
): ShippedRecord {
  const { priority } = message;
  const { transactionKeys } = origin;
  const json = findJson(message.text, transactionKeys);
  const line = json ?? readTextOf(message, transactionKeys);
  const attributes: Attributes = { ...line.attributes };
  addAttributes(attributes, message);
  if (json?.severity !== undefined && priority !== undefined) {
    attributes[SYSLOG.severityCode] = priority.severityCode;
  }
  if (isCut) attributes[SYSLOG.cut] = true;
  attributes[SYSLOG.peerAddress] = origin.peerAddress;
  return {
    ...line,
    timeNs: line.timeNs ?? message.timeNs,
    severity: line.severity ?? priority?.severity,
    attributes,
    service: message.app ?? line.service,
    host: message.host ?? line.host,
    transactionId: findParam(message.structuredData, transactionKeys) ?? line.transactionId,
    uid: origin.uid,
    observedNs: origin.observedNs,
    file: undefined,
  };
}

function findJson(text: string, transactionKeys: readonly string[]): LineRecord | undefined {
  const payload = text.startsWith("@") ? text.replace(COOKIE, "") : text;
  const parsed = payload.startsWith("{") ? parseJson(payload) : undefined;
  if (parsed?.kind !== "object") return undefined;
  return readObject(parsed.json, payload, transactionKeys);
}

/** Time and level are looked for in the text only where the header says none. */
function readTextOf(
  { text, timeNs, priority }: SyslogMessage,
  transactionKeys: readonly string[],
): LineRecord {
  return {
    timeNs: timeNs ?? findTextTime(text),
    severity: priority?.severity ?? findTextSeverity(text),
    body: text,
    attributes: NO_ATTRIBUTES,
    traceId: findTextTraceId(text),
    spanId: findTextSpanId(text),
    service: undefined,
    transactionId: findTextTransactionId(text, transactionKeys),
  };
}

/** A further piece of a message that was too long: what its header said was in the first. */
export function toContinuation(
  first: ShippedRecord,
  { bytes, part, isCut }: SyslogFrame,
  { uid, observedNs }: SyslogOrigin,
): ShippedRecord {
  const marks = { [SYSLOG.part]: part, ...(isCut ? { [SYSLOG.cut]: true } : {}) };
  const attributes = { ...first.attributes, ...marks };
  return { ...first, attributes, body: decodeText(bytes), uid, observedNs };
}

/** The transaction ID among parameters of whatever element. */
function findParam(
  params: readonly StructuredDatum[],
  transactionKeys: readonly string[],
): string | undefined {
  if (params.length === 0) return undefined;
  for (const key of transactionKeys) {
    for (const { name, value } of params) {
      const found = name === key ? findTransactionId(value) : undefined;
      if (found !== undefined) return found;
    }
  }
  return undefined;
}

function addAttributes(attributes: Attributes, message: SyslogMessage): void {
  const { version, priority, procId, msgId, structuredData } = message;
  if (priority !== undefined) {
    attributes[SYSLOG.facilityCode] = priority.facilityCode;
    attributes[SYSLOG.facilityName] = priority.facilityName;
  }
  if (version !== undefined) attributes[SYSLOG.version] = version;
  if (procId !== undefined) attributes[SYSLOG.procId] = procId;
  if (msgId !== undefined) attributes[SYSLOG.msgId] = msgId;
  const lists = new Map<string, string[]>();
  for (const { id, name, value } of structuredData) {
    const key = `${SYSLOG.structuredData}.${id}.${name}`;
    // A name may come again, as `ip` in `origin` (RFC 5424 §6.3.3).
    const values = lists.get(key);
    if (values === undefined) lists.set(key, [value]);
    else values.push(value);
    attributes[key] = values ?? value;
  }
}
