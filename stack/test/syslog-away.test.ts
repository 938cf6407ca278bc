import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type DebianServer, requireDebian } from "../backends/debian-server.ts";
import { freePorts } from "../backends/free-ports.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { startRsyslog } from "../backends/rsyslog.ts";
import { startSyslogNg } from "../backends/syslog-ng.ts";
import { IndexingBus } from "./kafka-indexing-bus.ts";
import { RealCollector } from "./real-collector.ts";
import { syslogExample } from "./syslog-docs.ts";

const TEST_MS = 300_000;
const WAIT = { timeout: 90_000, interval: 200 };
const MESSAGES_EACH = 1000;

const SENDERS: readonly (readonly [string, (rules: string) => Promise<DebianServer>, string])[] = [
  ["rsyslog", startRsyslog, "# /etc/rsyslog.d/clew.conf"],
  ["syslog-ng", startSyslogNg, "# /etc/syslog-ng/conf.d/clew.conf"],
];

describe.skipIf(!requireDebian("a collector that is away"))("a collector that is away", () => {
  let collector: RealCollector;
  let port: number;
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clew-syslog-"));
    [port = 0] = await freePorts(1);
    collector = await RealCollector.start({ CLEW_SYSLOG_PORT: String(port) });
  });
  afterEach(async () => {
    await collector.stop();
    await rm(folder, { recursive: true });
  });

  test.each(SENDERS)(
    "%s as in the docs: all that is logged before, during and after is there",
    async (_, start, example) => {
      const rules = syslogExample(example, port).replace("/var/lib/syslog-ng", folder);
      const daemon = await start(rules);
      const stored = async () =>
        (await collector.api.logs()).map((record) => record.message).toSorted();
      const before = linesOf("before");
      await daemon.send(before);
      await vi.waitFor(async () => expect((await stored()).length).toBe(before.length), WAIT);
      await collector.halt("SIGTERM");
      await daemon.send(linesOf("during"));
      await collector.resume();
      await daemon.send(linesOf("after"));
      // rsyslog sends the message again in which it noticed that the connection was gone.
      const all = ["before", "during", "after"].flatMap(textsOf).toSorted();
      await vi.waitFor(async () => expect([...new Set(await stored())]).toEqual(all), WAIT);
      await daemon.stop();
    },
    TEST_MS,
  );
});

describe.skipIf(!requireDebian("a bus that is away") || !requireJava("a bus that is away"))(
  "a bus that is away",
  () => {
    const broker = new KafkaBroker();
    beforeAll(() => broker.start(), TEST_MS);
    afterAll(() => broker.stop());

    test.each(SENDERS)(
      "%s as in the docs is held back, and all is there, once, when the bus is back",
      async (_, start, example) => {
        const [port = 0] = await freePorts(1);
        const folder = await mkdtemp(join(tmpdir(), "clew-syslog-"));
        const bus = new IndexingBus(broker.brokers);
        await bus.createTopics();
        const collector = await bus.startCollector({ CLEW_SYSLOG_PORT: String(port) });
        const rules = syslogExample(example, port).replace("/var/lib/syslog-ng", folder);
        const daemon = await start(rules);
        await daemon.send(linesOf("before"));
        broker.freeze();
        await daemon.send(linesOf("during"));
        // Longer than a request may take: what was sent then is sent again, and stored once.
        await vi.waitFor(async () => expect(await metricsOf(collector)).toMatch(REFUSED), WAIT);
        broker.thaw();
        await daemon.send(linesOf("after"));
        const all = ["before", "during", "after"].flatMap(textsOf).toSorted();
        await vi.waitFor(async () => {
          const stored = (await collector.api.logs()).map((record) => record.message);
          expect(stored.toSorted()).toEqual(all);
        }, WAIT);
        await daemon.stop();
        await collector.stop();
        await rm(folder, { recursive: true });
      },
      TEST_MS,
    );
  },
);

/** At least one request has been refused because the bus was away. */
const REFUSED = /^clew_receive_refused_requests_total\{code="BUS_UNAVAILABLE"\} [1-9]/m;

async function metricsOf(collector: RealCollector): Promise<string> {
  const response = await fetch(`${collector.queryUrl}/metrics`, {
    signal: AbortSignal.timeout(5000),
  });
  return response.text();
}

function textsOf(when: string): readonly string[] {
  return Array.from({ length: MESSAGES_EACH }, (_, n) => `${when} ${n}`);
}

function linesOf(when: string): readonly string[] {
  return textsOf(when).map((text) => `<13>Oct 11 22:14:15 web1 cart[77]: ${text}`);
}
