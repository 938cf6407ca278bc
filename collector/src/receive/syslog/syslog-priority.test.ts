import { expect, test } from "vitest";
import { findSyslogPriority } from "./syslog-priority.ts";

test.each([
  [0, "kern", "emerg", 21],
  [1, "kern", "alert", 19],
  [2, "kern", "crit", 18],
  [3, "kern", "err", 17],
  [12, "user", "warning", 13],
  [13, "user", "notice", 10],
  [14, "user", "info", 9],
  [15, "user", "debug", 5],
  [34, "auth", "crit", 18],
  [86, "authpriv", "info", 9],
  [165, "local4", "notice", 10],
  [191, "local7", "debug", 5],
])("<%i> is %s.%s, SeverityNumber %i", (pri, facilityName, text, number) => {
  expect(findSyslogPriority(`<${pri}>x`)).toEqual({
    length: String(pri).length + 2,
    priority: {
      facilityCode: Math.floor(pri / 8),
      facilityName,
      severityCode: pri % 8,
      severity: { number, text },
    },
  });
});

test.each(["", "<", "<>", "<x>", "<192>", "<1000>", "13>", " <13>", "<+1>"])(
  "%j is none",
  (text) => {
    expect(findSyslogPriority(text)).toBeUndefined();
  },
);
