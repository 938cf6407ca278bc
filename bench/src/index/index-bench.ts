/**
 * The indexer against the OpenTelemetry Collector: the same topic of a real Kafka into a sink that
 * only counts, and into a real Elasticsearch; then how long a transaction's view takes. Nothing is
 * pinned: broker, indexer and target share the processors.
 */
import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Elasticsearch, startElasticsearch } from "../../../stack/backends/elasticsearch.ts";
import { ELASTICSEARCH_RELEASES } from "../../../stack/backends/elasticsearch-home.ts";
import { KafkaBroker } from "../../../stack/backends/kafka-broker.ts";
import { OTEL_COLLECTOR_VERSION } from "../../../stack/backends/otel-collector-program.ts";
import type { BenchReport } from "../bench-report.ts";
import { formatNumber } from "../bench-report.ts";
import type { BenchOptions } from "../embedded-bench.ts";
import { describeMachine, describeVersions } from "../machine.ts";
import { makeTopics, OUR_TOPIC } from "../receive/bench-topics.ts";
import { kafkaVersion, rotated } from "../receive/receive-bench.ts";
import { RoundFindings } from "../round-findings.ts";
import { fillTopic, forgetOffsets, logMessages } from "./fill-topic.ts";
import { indexRatios, viewRatios, WHAT } from "./index-budgets.ts";
import { FULL, type IndexPlan, messagesFor, SHORT, TARGETS, type Target } from "./index-plan.ts";
import { CLEW, PEER, SUBJECTS, type Subject, startIndexServer } from "./index-servers.ts";
import { type IndexTarget, startElasticsearchTarget, startNullSink } from "./index-targets.ts";
import { type IndexTurn, indexStart, measureIndexing } from "./measure-indexing.ts";
import { measureViews } from "./measure-views.ts";

const NOTE = [
  "All read the same topic, full before they start; what is measured begins behind a warm-up.",
  "Broker, indexer and target share the processors; one indexer at a time works, in turns. CPU is",
  "that of the indexer's process until it rests. `clew` is its indexing role alone, each document",
  "with an id, committed after it is stored. The OpenTelemetry Collector's documents have no ids;",
  "by default it commits before they are stored, with its queue off after it. The rate is that of",
  "95 % of the records, for the last ones may wait for a batch to be full. Elasticsearch has 1 GiB",
  "of heap and is fresh for each turn. A view is asked over HTTP, one after the other; of its",
  "records one in ten is a span. A ratio is the middle one of the rounds' own ratios.",
].join("\n");

/** Takes half an hour; the short plan six minutes. */
export async function benchIndex(
  options: BenchOptions,
  plan: IndexPlan = options.isShort ? SHORT : FULL,
): Promise<BenchReport> {
  await mkdir(options.workDir, { recursive: true });
  const dir = await mkdtemp(join(options.workDir, "index-"));
  const findings = new RoundFindings({ ours: CLEW, peer: PEER });
  try {
    for (const target of TARGETS) await measureTarget({ options, plan, findings, dir, target });
    const views = await measureViews({ options, plan: plan.views, findings, dir });
    return {
      note: NOTE,
      machine: describeMachine(),
      versions: {
        ...describeVersions(),
        "otel collector": OTEL_COLLECTOR_VERSION,
        kafka: await kafkaVersion(),
        elasticsearch: ELASTICSEARCH_RELEASES[9].version,
      },
      rows: findings.rows(),
      ratios: [...indexRatios(findings), ...viewRatios(findings, views)],
    };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

interface TargetParts {
  readonly options: BenchOptions;
  readonly plan: IndexPlan;
  readonly findings: RoundFindings;
  readonly dir: string;
  readonly target: Target;
}

/** With a broker of its own. */
async function measureTarget(of: TargetParts): Promise<void> {
  const { plan, target, options } = of;
  const kafka = new KafkaBroker();
  // Behind the sink, which asks it for all but documents.
  const behind = target === "null sink" ? await startElasticsearch() : undefined;
  try {
    await kafka.start();
    await makeTopics(kafka.brokers, []);
    const requests = messagesFor(plan.warmUpRecords + plan.records);
    const runId = `bench-${randomBytes(4).toString("hex")}`;
    await fillTopic(kafka.brokers, logMessages({ topic: OUR_TOPIC, runId, requests }));
    options.say(`the topic has ${requests} messages`);
    const rounds = plan.rounds[target];
    for (let round = 0; round < rounds; round++) {
      for (const subject of rotated(SUBJECTS, round)) {
        await measureSubject({ ...of, subject, behind, brokers: kafka.brokers });
      }
      options.say(`${target}, round ${round + 1} of ${rounds} is measured`);
    }
  } finally {
    await kafka.stop();
    await behind?.stop();
  }
}

interface SubjectParts extends TargetParts {
  readonly subject: Subject;
  readonly behind: Elasticsearch | undefined;
  readonly brokers: readonly string[];
}

async function measureSubject(of: SubjectParts): Promise<void> {
  const { plan, behind, brokers, subject, options } = of;
  await forgetOffsets(brokers);
  const sink =
    behind === undefined ? await startElasticsearchTarget() : await startNullSink(behind);
  try {
    const turn = await measureWith(sink, of);
    addTurn(of, turn);
    const cpu = turn.cpuPerMillion.toFixed(2);
    const rate = formatNumber(turn.logsPerSecond);
    options.say(
      `${of.target}, ${subject}: ${cpu} CPU s per million, ${rate} logs/s, ` +
        `${turn.missing} of ${plan.warmUpRecords + plan.records} missing`,
    );
  } finally {
    await sink.stop();
  }
}

async function measureWith(target: IndexTarget, of: SubjectParts): Promise<IndexTurn> {
  const { brokers, dir, options, plan, subject } = of;
  const start = indexStart(target);
  const server = await startIndexServer(subject, {
    brokers,
    elasticsearchUrl: target.url,
    peerGroupId: `peer-${randomBytes(4).toString("hex")}`,
    dataDir: join(dir, "data"),
    nodeArgs: options.nodeArgs,
  });
  try {
    return await measureIndexing({ server, target, start, ...plan });
  } finally {
    await server.stop();
  }
}

function addTurn({ findings, subject, target }: SubjectParts, turn: IndexTurn): void {
  const perMillion = "s per million logs";
  const rows = [
    { what: WHAT.cpu(target), unit: perMillion, value: turn.cpuPerMillion },
    { what: WHAT.rate(target), unit: "logs/s", value: turn.logsPerSecond },
    { what: WHAT.memory(target), unit: "MiB", value: turn.peakMiB },
    { what: WHAT.missing(target), unit: "records", value: turn.missing },
    { what: WHAT.doubled(target), unit: "records", value: turn.doubled ?? Number.NaN },
    {
      what: WHAT.elasticsearchCpu,
      unit: perMillion,
      value: turn.targetCpuPerMillion ?? Number.NaN,
    },
  ];
  for (const row of rows) findings.add({ ...row, subject });
}
