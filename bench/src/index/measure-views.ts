/** How long the view of a transaction takes, by its size, in both stores; and what is on disk. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Elasticsearch, startElasticsearch } from "../../../stack/backends/elasticsearch.ts";
import { KafkaBroker } from "../../../stack/backends/kafka-broker.ts";
import { quantile } from "../bench-report.ts";
import { CollectorProcess } from "../collector-process.ts";
import { distributedSettings } from "../config.ts";
import { cpuOnceQuiet } from "../cpu-once-quiet.ts";
import { type BenchOptions, bytesBelow } from "../embedded-bench.ts";
import { sendLogs } from "../log-load.ts";
import { makeTopics, OUR_TOPIC, TRACES_TOPIC } from "../receive/bench-topics.ts";
import type { RoundFindings } from "../round-findings.ts";
import { waitUntilSearchable } from "../transaction-lookups.ts";
import { fillTopic, logMessages } from "./fill-topic.ts";
import { DISTRIBUTED, EMBEDDED, type ViewName, WHAT } from "./index-budgets.ts";
import { messagesFor, type ViewPlan } from "./index-plan.ts";
import { setUpClew } from "./index-servers.ts";
import { askElasticsearch, countIndexed } from "./index-targets.ts";
import { timeViews, waitUntilWhole } from "./time-views.ts";
import { viewRequests } from "./view-requests.ts";

export interface ViewParts {
  readonly options: BenchOptions;
  readonly plan: ViewPlan;
  readonly findings: RoundFindings;
  readonly dir: string;
}

/** One view that was measured. */
export type MeasuredView = ViewName & { readonly subject: string };

const HEAP_MIB = 1024;
const SEND_DEADLINE_MS = 60_000;
const MERGE_DEADLINE_MS = 600_000;
const INDEXED_DEADLINE_MS = 1_200_000;
const POLL_MS = 500;
const OURS = "/logs-clew-*,traces-clew-*";

export async function measureViews(parts: ViewParts): Promise<readonly MeasuredView[]> {
  return [...(await measureDistributed(parts)), ...(await measureEmbedded(parts))];
}

interface Stored {
  readonly subject: string;
  readonly runId: string;
  readonly queryUrl: string;
  /** Records of the transactions around. */
  readonly around: number;
}

export async function measureEmbedded(parts: ViewParts): Promise<readonly MeasuredView[]> {
  const { dir, options, plan } = parts;
  const dataDir = join(dir, "embedded");
  const { nodeArgs } = options;
  const collector = await CollectorProcess.start(dataDir, { nodeArgs });
  try {
    const { otlpUrl, queryUrl } = collector.addresses;
    const runId = newRunId();
    const requests = messagesFor(plan.embeddedRecords);
    await sendLogs({ otlpUrl, runId, from: 0, to: requests });
    for (const { signal, body } of viewRequests({ runId, shapes: plan.shapes, startNs: nowNs() })) {
      await post(`${otlpUrl}/v1/${signal}`, body);
    }
    await waitUntilSearchable({ queryUrl, runId, requests });
    const around = plan.embeddedRecords;
    const measured = await measureShapes(parts, { subject: EMBEDDED, runId, queryUrl, around });
    await cpuOnceQuiet(collector.pid);
    const bytes = (await bytesBelow(dataDir)) / allRecords(plan, around);
    addDisk(parts, { subject: EMBEDDED, what: WHAT.disk(around), bytes });
    return measured;
  } finally {
    await collector.stop();
  }
}

export async function measureDistributed(parts: ViewParts): Promise<readonly MeasuredView[]> {
  const kafka = new KafkaBroker();
  const elasticsearch = await startElasticsearch({ heapMiB: HEAP_MIB, compiler: "full" });
  try {
    await kafka.start();
    await makeTopics(kafka.brokers, []);
    return await measureOver(parts, { brokers: kafka.brokers, elasticsearch });
  } finally {
    await kafka.stop();
    await elasticsearch.stop();
  }
}

async function measureOver(
  parts: ViewParts,
  { brokers, elasticsearch }: { brokers: readonly string[]; elasticsearch: Elasticsearch },
): Promise<readonly MeasuredView[]> {
  const { dir, options, plan } = parts;
  const around = plan.elasticsearchRecords;
  const order = { brokers, elasticsearchUrl: elasticsearch.url };
  const dataDir = join(dir, "distributed");
  await setUpClew({ ...order, dataDir });
  const runId = newRunId();
  const requests = messagesFor(around);
  await fillTopic(brokers, logMessages({ topic: OUR_TOPIC, runId, requests }));
  const shaped = viewRequests({ runId, shapes: plan.shapes, startNs: nowNs() });
  await fillTopic(
    brokers,
    shaped.map(({ signal, records, body }) => {
      return { topic: signal === "logs" ? OUR_TOPIC : TRACES_TOPIC, records, value: body };
    }),
  );
  const settings = distributedSettings({ ...order, roles: "ingest,index,query" });
  const { nodeArgs } = options;
  const collector = await CollectorProcess.start(dataDir, { nodeArgs, settings });
  try {
    const { queryUrl } = collector.addresses;
    // Nobody asks before, for whoever asks makes it refresh.
    await waitUntilIndexed(elasticsearch, allRecords(plan, around));
    await waitUntilSearchable({ queryUrl, runId, requests });
    const measured = await measureShapes(parts, { subject: DISTRIBUTED, runId, queryUrl, around });
    await addElasticsearchDisk(parts, { elasticsearch, around });
    return measured;
  } finally {
    await collector.stop();
  }
}

async function waitUntilIndexed({ url }: Elasticsearch, records: number): Promise<void> {
  const endMs = performance.now() + INDEXED_DEADLINE_MS;
  while ((await countIndexed(`${url}${OURS}`)) < records) {
    if (performance.now() > endMs) throw new Error("cannot go on: not all is indexed in time");
    await wait(POLL_MS);
  }
}

async function measureShapes(
  { findings, options, plan }: ViewParts,
  stored: Stored,
): Promise<readonly MeasuredView[]> {
  const { subject, around } = stored;
  const measured: MeasuredView[] = [];
  for (const shape of plan.shapes) await waitUntilWhole({ ...stored, shape });
  for (const shape of plan.shapes) {
    const answerMs = await timeViews({ ...stored, shape });
    const view = { stored: around, shape, subject };
    const [p50, p99] = [quantile(answerMs, 0.5), quantile(answerMs, 0.99)];
    findings.add({ what: WHAT.viewP50(view), subject, unit: "ms", value: p50 });
    findings.add({ what: WHAT.viewP99(view), subject, unit: "ms", value: p99 });
    options.say(`${subject}, ${WHAT.viewP99(view)}: ${p99.toFixed(2)} ms`);
    measured.push(view);
  }
  return measured;
}

async function addElasticsearchDisk(
  parts: ViewParts,
  { elasticsearch, around }: { elasticsearch: Elasticsearch; around: number },
): Promise<void> {
  const { url, pid } = elasticsearch;
  const records = allRecords(parts.plan, around);
  const bytesNow = async () => {
    await askElasticsearch(`${url}${OURS}/_flush`, { method: "POST" });
    const filter = "filter_path=_all.primaries.store.size_in_bytes";
    const { _all: all } = (await askElasticsearch(`${url}${OURS}/_stats/store?${filter}`)) as {
      _all: { primaries: { store: { size_in_bytes: number } } };
    };
    return all.primaries.store.size_in_bytes / records;
  };
  await cpuOnceQuiet(pid);
  const subject = DISTRIBUTED;
  addDisk(parts, { subject, what: WHAT.disk(around), bytes: await bytesNow() });
  await askElasticsearch(`${url}${OURS}/_forcemerge?max_num_segments=1`, {
    method: "POST",
    deadlineMs: MERGE_DEADLINE_MS,
  });
  addDisk(parts, { subject, what: WHAT.mergedDisk(around), bytes: await bytesNow() });
}

function addDisk(
  { findings }: ViewParts,
  { subject, what, bytes }: { subject: string; what: string; bytes: number },
): void {
  findings.add({ what, subject, unit: "bytes", value: bytes });
}

/** With those that are looked at. */
function allRecords({ shapes }: ViewPlan, around: number): number {
  return shapes.reduce((sum, shape) => sum + shape.records * shape.transactions, around);
}

async function post(url: string, body: Buffer): Promise<void> {
  const headers = { "content-type": "application/x-protobuf" };
  const signal = AbortSignal.timeout(SEND_DEADLINE_MS);
  const answer = await fetch(url, { method: "POST", headers, body, signal });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`cannot load the collector: it answered ${answer.status}`);
}

function newRunId(): string {
  return `bench-${randomBytes(4).toString("hex")}`;
}

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
