import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { get } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type DebianServer, requireDebian } from "../backends/debian-server.ts";
import { freePorts } from "../backends/free-ports.ts";
import { startRsyslog } from "../backends/rsyslog.ts";
import { startSyslogNg } from "../backends/syslog-ng.ts";
import { makeTestCertificates, type TestCertificates } from "../backends/test-certificates.ts";
import type { ReadRecord } from "./query-api.ts";
import { RealCollector } from "./real-collector.ts";
import { syslogExample } from "./syslog-docs.ts";

const START_MS = 300_000;
const TEST_MS = 60_000;
const REQUEST_MS = 5000;
const WAIT = { timeout: 30_000, interval: 100 };
const run = promisify(execFile);

const HEADER = "<14>1 2026-01-31T12:00:00.123456Z web1 cart 77";
/** Each kind of message that a service may log, of one transaction. */
function linesOf(id: string): readonly string[] {
  return [
    `<11>Oct 11 22:14:15 web1 cart[77]: Grüße transaction_id=${id}`,
    `${HEADER} ID1 [shop@32473 transaction_id="${id}" n="a\\"b"] data`,
    `${HEADER} - - {"level":"error","msg":"json","transaction_id":"${id}"}`,
    `${HEADER} - - @cee:{"msg":"cee","transaction_id":"${id}"}`,
  ];
}
const MESSAGES = (id: string) => [`Grüße transaction_id=${id}`, "cee", "data", "json"].toSorted();

describe.skipIf(!requireDebian("syslog from real senders"))("syslog from real senders", () => {
  let collector: RealCollector;
  let port: number;
  let folder: string;
  let certificates: TestCertificates;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "clew-syslog-"));
    certificates = await makeTestCertificates(folder);
    [port = 0] = await freePorts(1);
    collector = await RealCollector.start({ CLEW_SYSLOG_PORT: String(port) });
  }, START_MS);
  afterAll(async () => {
    await collector.stop();
    await rm(folder, { recursive: true });
  });

  async function recordsOf(id: string, count: number): Promise<readonly ReadRecord[]> {
    await vi.waitFor(async () => {
      expect((await collector.api.findTransaction(id))?.counts.logs).toBe(count);
    }, WAIT);
    return collector.api.recordsOf(id);
  }

  async function checkDaemon(daemon: DebianServer, id: string): Promise<readonly ReadRecord[]> {
    await daemon.send(linesOf(id));
    const records = await recordsOf(id, 4);
    await daemon.stop();
    expect(records.map((record) => record.message).toSorted()).toEqual(MESSAGES(id));
    expect(new Set(records.map((record) => record.service))).toEqual(new Set(["cart"]));
    return records;
  }

  const TARGET = `type="omfwd" target="127.0.0.1"`;

  describe("rsyslog", () => {
    test(
      "the example of the docs: TCP, octet counting, RFC 5424",
      async () => {
        const rsyslog = await startRsyslog(syslogExample("# /etc/rsyslog.d/clew.conf", port));
        const records = await checkDaemon(rsyslog, "rsyslog-octets");
        expect(records.every((record) => record.resource["host.name"] === "web1")).toBe(true);
        const data = records.find((record) => record.message === "data");
        expect(data?.attributes).toMatchObject({
          "syslog.facility.name": "user",
          "syslog.procid": "77",
          "syslog.msgid": "ID1",
          "syslog.structured_data.shop@32473.n": 'a"b',
          "network.peer.address": "127.0.0.1",
        });
      },
      START_MS,
    );

    test(
      "a stack trace stays one message",
      async () => {
        const rules = syslogExample("# /etc/rsyslog.d/clew.conf", port);
        const rsyslog = await startRsyslog(
          `global(parser.escapeControlCharactersOnReceive="off")\n${rules}`,
        );
        const trace =
          "Error: declined transaction_id=rsyslog-trace\n    at pay (pay.js:1)\n    at run";
        const message = `<11>Oct 11 22:14:15 web1 cart[77]: ${trace}`;
        await rsyslog.send([`${message.length} ${message}`]);
        const records = await recordsOf("rsyslog-trace", 1);
        await rsyslog.stop();
        expect(records[0]?.message).toBe(trace);
      },
      TEST_MS,
    );

    test.each([
      ["tcp-lines", 'protocol="tcp" template="RSYSLOG_SyslogProtocol23Format"'],
      ["tcp-3164", 'protocol="tcp" template="RSYSLOG_TraditionalForwardFormat"'],
      ["tcp-iso", 'protocol="tcp" template="RSYSLOG_ForwardFormat"'],
      ["udp", 'protocol="udp" template="RSYSLOG_SyslogProtocol23Format"'],
    ])(
      "%s",
      async (name, how) => {
        const id = `rsyslog-${name}`;
        // Only the newer format has structured data to carry.
        const inText = (line: string) => line.replace("] data", `] data transaction_id=${id}`);
        const rsyslog = await startRsyslog(`action(${TARGET} port="${port}" ${how})`);
        await rsyslog.send(linesOf(id).map(inText));
        const records = await recordsOf(id, 4);
        await rsyslog.stop();
        expect(new Set(records.map((record) => record.service))).toEqual(new Set(["cart"]));
        expect(records.every((record) => record.resource["host.name"] === "web1")).toBe(true);
      },
      TEST_MS,
    );
  });

  describe("syslog-ng", () => {
    test(
      "the example of the docs: TCP, syslog()",
      async () => {
        const rules = syslogExample("# /etc/syslog-ng/conf.d/clew.conf", port);
        const syslogNg = await startSyslogNg(rules.replace("/var/lib/syslog-ng", folder));
        await checkDaemon(syslogNg, "syslog-ng-octets");
      },
      START_MS,
    );

    test.each([
      ["tcp-lines", (to: string) => `network(${to} transport("tcp"))`],
      ["udp", (to: string) => `network(${to} transport("udp"))`],
      ["udp-5424", (to: string) => `syslog(${to} transport("udp"))`],
    ])(
      "%s",
      async (name, destination) => {
        const id = `syslog-ng-${name}`;
        const rules = `destination d_clew { ${destination(`"127.0.0.1" port(${port})`)}; };
        log { source(s_in); destination(d_clew); };`;
        const syslogNg = await startSyslogNg(rules);
        await syslogNg.send(linesOf(id).slice(0, 1));
        expect(await recordsOf(id, 1)).toMatchObject([
          { message: `Grüße transaction_id=${id}`, service: "cart" },
        ]);
        await syslogNg.stop();
      },
      TEST_MS,
    );
  });

  describe("logger of util-linux", () => {
    test(
      "the example of the docs",
      async () => {
        const command = syslogExample("logger --server", port);
        await run("sh", ["-c", command]);
        expect(await recordsOf("order-4711", 1)).toMatchObject([
          { message: "card declined", service: "checkout" },
        ]);
      },
      TEST_MS,
    );

    test.each([
      ["tcp", "rfc5424", []],
      ["tcp", "rfc5424", ["--octet-count"]],
      ["tcp", "rfc3164", []],
      ["tcp", "rfc3164", ["--octet-count"]],
      ["udp", "rfc5424", []],
      ["udp", "rfc3164", []],
    ])(
      "--%s --%s %s",
      async (transport, format, more) => {
        const id = `logger-${transport}-${format}-${more.length}`;
        const to = ["--server", "127.0.0.1", "--port", String(port), `--${transport}`];
        const how = [`--${format}`, ...more, "--tag", "cart", "--id=77", "-p", "local3.warning"];
        await run("logger", [...to, ...how, `Grüße transaction_id=${id}`]);
        const [record] = await recordsOf(id, 1);
        expect(record).toMatchObject({
          message: `Grüße transaction_id=${id}`,
          service: "cart",
          attributes: { "syslog.facility.name": "local3", "syslog.procid": "77" },
        });
      },
      TEST_MS,
    );
  });

  test(
    "what is hardly syslog, and hardly text, is stored as it came",
    async () => {
      const socket = connect(port, "127.0.0.1");
      const closed = once(socket, "close");
      socket.resume();
      socket.write("\0\0<13>nul \0 within transaction_id=hostile\n");
      socket.write("no priority transaction_id=hostile\n007 <13>x transaction_id=hostile\n");
      socket.write("<13>Oct 11 22:14:15 h a: caf\xe9 transaction_id=hostile\n", "latin1");
      socket.end("99999 <13>1 - - - - - [a transaction_id=hostile");
      await closed;
      const records = await recordsOf("hostile", 5);
      expect(records.map((record) => record.message).toSorted()).toEqual([
        "007 <13>x transaction_id=hostile",
        "[a transaction_id=hostile",
        "café transaction_id=hostile",
        "no priority transaction_id=hostile",
        "nul \0 within transaction_id=hostile",
      ]);
      const cut = records.find((record) => record.attributes["clew.syslog.cut"] === true);
      expect(cut?.message).toBe("[a transaction_id=hostile");
    },
    TEST_MS,
  );

  test(
    "over TLS, on the port that takes plain messages too",
    async () => {
      const [tlsPort = 0] = await freePorts(1);
      const secured = await RealCollector.start({
        CLEW_SYSLOG_PORT: String(tlsPort),
        CLEW_TLS_CERT: certificates.cert,
        CLEW_TLS_KEY: certificates.key,
      });
      const rules = syslogExample("# the same over TLS", tlsPort);
      const syslogNg = await startSyslogNg(rules.replace("/etc/clew/ca.pem", certificates.ca));
      await syslogNg.send(linesOf("tls").slice(0, 1));
      await run("logger", [
        ...["--server", "127.0.0.1", "--port", String(tlsPort), "--tcp"],
        "plain transaction_id=tls",
      ]);
      const ca = await readFile(certificates.ca);
      await vi.waitFor(async () => {
        const url = new URL(`${secured.queryUrl}/api/v1/transactions/tls`);
        expect(await getJson(url, ca)).toMatchObject({ counts: { logs: 2 } });
      }, WAIT);
      await syslogNg.stop();
      await secured.stop();
    },
    TEST_MS,
  );
});

/** `fetch` cannot be told of another authority. */
async function getJson(url: URL, ca: Buffer): Promise<unknown> {
  url.protocol = "https:";
  const signal = AbortSignal.timeout(REQUEST_MS);
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  get(url, { ca, signal }, resolve).once("error", reject);
  return JSON.parse(await text(await promise));
}
