import { describe, expect, test } from "vitest";
import { readSyslogMessage, type SyslogMessage } from "./syslog-message.ts";

const NOW_MS = Date.UTC(2026, 9, 20);
const EVENT_NS = BigInt(Date.UTC(2003, 9, 11, 22, 14, 15, 3)) * 1_000_000n;
const LOCAL_NS = BigInt(new Date(2026, 9, 11, 22, 14, 15).getTime()) * 1_000_000n;
const EVENT = "2003-10-11T22:14:15.003Z";
const SU = "'su root' failed for lonvick on /dev/pts/8";
const DO_NUTS = "%% It's time to make the do-nuts.";
const INGREDIENTS =
  "%%  Ingredients: Mix=OK, Jelly=OK # Devices: Mixer=OK, Jelly_Injector=OK, Frier=OK # " +
  "Transport: Conveyer1=OK, Conveyer2=OK # %%";
const SDID = '[exampleSDID@32473 iut="3" eventSource="Application" eventID="1011"]';
const HIGH = '[examplePriority@32473 class="high"]';
const ENTRY = "An application event log entry...";
const DATA = [
  { id: "exampleSDID@32473", name: "iut", value: "3" },
  { id: "exampleSDID@32473", name: "eventSource", value: "Application" },
  { id: "exampleSDID@32473", name: "eventID", value: "1011" },
];

function check(line: string, want: Partial<SyslogMessage>): void {
  expect(readSyslogMessage(line, NOW_MS)).toMatchObject(want);
}

describe("RFC 5424 §6.5", () => {
  test.each<[string, Partial<SyslogMessage>]>([
    [
      `<34>1 ${EVENT} mymachine.example.com su - ID47 - \ufeff${SU}`,
      {
        format: "rfc5424",
        version: 1,
        timeNs: EVENT_NS,
        host: "mymachine.example.com",
        app: "su",
        procId: undefined,
        msgId: "ID47",
        structuredData: [],
        text: SU,
      },
    ],
    [
      `<165>1 2003-08-24T05:14:15.000003-07:00 192.0.2.1 myproc 8710 - - ${DO_NUTS}`,
      {
        format: "rfc5424",
        timeNs: BigInt(Date.UTC(2003, 7, 24, 12, 14, 15)) * 1_000_000n + 3000n,
        host: "192.0.2.1",
        app: "myproc",
        procId: "8710",
        msgId: undefined,
        text: DO_NUTS,
      },
    ],
    [
      `<165>1 ${EVENT} mymachine.example.com evntslog - ID47 ${SDID} \ufeff${ENTRY}`,
      { format: "rfc5424", structuredData: DATA, text: ENTRY },
    ],
    [
      `<165>1 ${EVENT} mymachine.example.com evntslog - ID47 ${SDID}${HIGH}`,
      {
        format: "rfc5424",
        app: "evntslog",
        structuredData: [...DATA, { id: "examplePriority@32473", name: "class", value: "high" }],
        // There is no message; the data are what there is to show.
        text: `${SDID}${HIGH}`,
      },
    ],
  ])("%s", check);
});

describe("RFC 3164 §5.4", () => {
  test.each<[string, Partial<SyslogMessage>]>([
    [
      `<34>Oct 11 22:14:15 mymachine su: ${SU}`,
      {
        format: "rfc3164",
        timeNs: LOCAL_NS,
        host: "mymachine",
        app: "su",
        procId: undefined,
        text: SU,
      },
    ],
    ["Use the BFG!", { format: "text", priority: undefined, text: "Use the BFG!" }],
    [
      `<165>Aug 24 05:34:00 CST 1987 mymachine myproc[10]: ${DO_NUTS}  ${INGREDIENTS}`,
      {
        format: "rfc3164",
        timeNs: BigInt(Date.UTC(1987, 7, 24, 11, 34)) * 1_000_000n,
        host: "mymachine",
        app: "myproc",
        procId: "10",
        text: `${DO_NUTS}  ${INGREDIENTS}`,
      },
    ],
    [
      "<0>1990 Oct 22 10:52:01 TZ-6 scapegoat.dmz.example.org 10.1.2.3 sched[0]: That's All Folks!",
      {
        format: "rfc3164",
        timeNs: BigInt(Date.UTC(1990, 9, 22, 16, 52, 1)) * 1_000_000n,
        host: "scapegoat.dmz.example.org",
        app: undefined,
        text: "10.1.2.3 sched[0]: That's All Folks!",
      },
    ],
    [
      "<13>Oct 11 22:14:15 10.0.0.99 Use the BFG!",
      { format: "rfc3164", host: "10.0.0.99", app: undefined, text: "Use the BFG!" },
    ],
  ])("%s", check);
});

describe("what real senders send", () => {
  test.each<[string, string, Partial<SyslogMessage>]>([
    [
      "rsyslog's forward format: ISO time",
      "<13>2003-10-11T22:14:15.003+00:00 web1 postfix/smtpd[123]: connect",
      { format: "rfc3164", timeNs: EVENT_NS, host: "web1", app: "postfix/smtpd", procId: "123" },
    ],
    [
      "logger and libc: no host",
      "<13>Oct 11 22:14:15 sshd[12]: Accepted",
      { format: "rfc3164", host: undefined, app: "sshd", procId: "12", text: "Accepted" },
    ],
    [
      "rsyslog, what came to it as RFC 5424: no colon",
      "<14>Oct 11 22:14:15 web1 cart[77] {}",
      { host: "web1", app: "cart", procId: "77", text: "{}" },
    ],
    ["a tag without a time", "<30>dockerd[7]: up", { app: "dockerd", procId: "7", text: "up" }],
    ["an IPv6 host", "<13>Oct 11 22:14:15 fe80::1 su: x", { host: "fe80::1", app: "su" }],
    ["rsyslog's extra space", "<13>1 - h a - - -  x", { format: "rfc5424", text: "x" }],
    ["only nothing", "<0>1 - - - - - -", { format: "rfc5424", host: undefined, text: "" }],
    [
      "Cisco IOS: all of it stays text",
      "<189>29: *Oct 11 22:14:15.500: %SYS-5-CONFIG_I: Configured",
      {
        format: "text",
        timeNs: LOCAL_NS + 500_000_000n,
        text: "29: *Oct 11 22:14:15.500: %SYS-5-CONFIG_I: Configured",
      },
    ],
    [
      "Cisco with sequence and origin",
      "<188>80191: 10.0.2.1: Oct 11 22:14:15 UTC: %SW_MATM-4-MACFLAP_NOTIF: flapping",
      { format: "text", timeNs: BigInt(Date.UTC(2026, 9, 11, 22, 14, 15)) * 1_000_000n },
    ],
    [
      "Cisco ASA",
      "<166>Oct 11 2019 22:14:15: %ASA-6-302013: Built",
      { format: "text", text: "Oct 11 2019 22:14:15: %ASA-6-302013: Built" },
    ],
    ["a priority and text", "<13>hello", { format: "text", text: "hello" }],
    ["a time with no zone and no T", "<13>2026-10-11 22:14:15 h su: x", { timeNs: LOCAL_NS }],
  ])("%s", (_, line, want) => check(line, want));
});

describe("what is not what it seems", () => {
  const rfc5424 = "<13>1 2003-10-11T22:14:15.003Z h a p m ";
  test.each<[string, Partial<SyslogMessage>]>([
    ["", { format: "text", text: "" }],
    ["<", { format: "text", text: "<" }],
    ["<>x", { format: "text", priority: undefined, text: "<>x" }],
    ["<192>x", { format: "text", priority: undefined, text: "<192>x" }],
    ["<9999>x", { priority: undefined, text: "<9999>x" }],
    ["<-1>x", { priority: undefined, text: "<-1>x" }],
    ["<013>x", { text: "x" }],
    ["<13>", { format: "text", text: "" }],
    ["<13>1 tomorrow h a p m - x", { format: "text", text: "1 tomorrow h a p m - x" }],
    ["<13>1 2003-13-45T22:14:15Z h a p m - x", { format: "text" }],
    ["<13>1 2003-10-11T22:14:15Z h a", { format: "text", text: "1 2003-10-11T22:14:15Z h a" }],
    [`${rfc5424}`, { format: "damaged", text: "" }],
    [`${rfc5424}x`, { format: "damaged", host: "h", app: "a", text: "x" }],
    [`${rfc5424}-x`, { format: "damaged", text: "-x" }],
    [`${rfc5424}[a b="c"`, { format: "damaged", text: '[a b="c"' }],
    [`${rfc5424}[ a b="c"] x`, { format: "damaged", text: '[ a b="c"] x' }],
    [`${rfc5424}[a b="c"] [d e="f"]`, { format: "rfc5424", text: '[d e="f"]' }],
    ["<13>Oct 32 22:14:15 h su: x", { format: "text", text: "Oct 32 22:14:15 h su: x" }],
    ["<13>Oct 11 25:14:15 h su: x", { format: "text" }],
    ["<13>Oct 11 22:14:15", { format: "text", timeNs: LOCAL_NS, text: "Oct 11 22:14:15" }],
    ["<13>Oct 11 22:14:15 ", { format: "rfc3164", host: undefined, text: "" }],
    ["<13>Oct 11 22:14:15 hello", { format: "rfc3164", host: undefined, text: "hello" }],
    [`<13>1 - ${"h".repeat(256)} - - - - x`, { format: "text", host: undefined }],
    ["\u0000<13>x", { format: "text", text: "\u0000<13>x" }],
  ])("%j", check);

  test("long and repetitive messages are read in time linear to their length", () => {
    const many = 64 * 1024;
    for (const piece of ["a", "[", '"', "\\", "a ", "[a b=", "12: ", "<1>", "Oct 11 "]) {
      const text = piece.repeat(many / piece.length);
      for (const head of ["", "<13>", "<13>1 ", "<13>Oct 11 22:14:15 ", `${rfc5424}[a b="`]) {
        expect(readSyslogMessage(head + text, NOW_MS).text.length).toBeGreaterThan(many / 2);
      }
    }
  });
});
