import { findSeverity, type Severity } from "../../lines/severity.ts";

/** RFC 5427 §3, by number. */
const FACILITIES = [
  ...["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron"],
  ...["authpriv", "ftp", "ntp", "audit", "console", "cron2"],
  ...["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"],
];
/** RFC 5427 §3; `findSeverity` maps each as appendix B of OpenTelemetry's logs data model does. */
const SEVERITIES = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];
const PRIORITY_MAX = 191;

/** What `<PRI>` says (RFC 5424 §6.2.1): PRI = facility · 8 + severity. */
export interface SyslogPriority {
  readonly facilityCode: number;
  readonly facilityName: string;
  readonly severityCode: number;
  readonly severity: Severity | undefined;
}

const PRIORITIES: readonly SyslogPriority[] = Array.from(
  { length: PRIORITY_MAX + 1 },
  (_, pri) => ({
    facilityCode: pri >> 3,
    facilityName: FACILITIES[pri >> 3] ?? "",
    severityCode: pri & 7,
    severity: findSeverity(SEVERITIES[pri & 7]),
  }),
);

/** `<0>` to `<191>` at the start of a message; leading zeros are let pass. */
export function findSyslogPriority(
  text: string,
): { priority: SyslogPriority; length: number } | undefined {
  const [prefix, digits] = /^<(\d{1,3})>/.exec(text) ?? [];
  const priority = PRIORITIES[Number(digits)];
  return prefix === undefined || priority === undefined
    ? undefined
    : { priority, length: prefix.length };
}
