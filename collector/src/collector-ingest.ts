/** The role `ingest`: the doors through which records come, and what becomes of them in the bus. */
import type { Collector } from "./collector.ts";
import type { CollectorContext } from "./collector-context.ts";
import { ElasticsearchDoor } from "./receive/documents/elasticsearch-door.ts";
import { NdjsonDoor } from "./receive/documents/ndjson-door.ts";
import { GrpcReceiver } from "./receive/grpc/grpc-receiver.ts";
import { HttpReceiver, RECEIVE_TIMEOUTS } from "./receive/http-receiver.ts";
import { Intake } from "./receive/intake.ts";
import { OtlpDoor } from "./receive/otlp-door.ts";
import { SyslogReceiver } from "./receive/syslog/syslog-receiver.ts";

/** Requests under way when the process is told to end get so long to arrive and be answered. */
const RECEIVER_STOP_MS_MAX = 5000;

/** @throws ClewError PORT_IN_USE, CONFIG_INVALID */
export async function startIngest(
  context: CollectorContext,
): Promise<Omit<Collector["ports"], "port" | "jaegerPort">> {
  const { config, registry, running, bus, nowNs } = context;
  const intake = new Intake({ config, bus, registry, nowNs });
  const timeouts = { stopMs: RECEIVER_STOP_MS_MAX };
  const { bodyMs: bodyTimeoutMs } = RECEIVE_TIMEOUTS;
  const receiver = new HttpReceiver({
    config,
    doors: [
      new ElasticsearchDoor({ config, intake, bodyTimeoutMs, nowNs }),
      new NdjsonDoor({ config, intake, bodyTimeoutMs, nowNs }),
      new OtlpDoor({ config, intake, bodyTimeoutMs }),
    ],
    timeouts,
  });
  running.receivers.push(receiver);
  const { port: otlpHttpPort } = await receiver.start();
  const grpcReceiver = new GrpcReceiver({ config, intake, timeouts });
  running.receivers.push(grpcReceiver);
  const { port: otlpGrpcPort } = await grpcReceiver.start();
  const syslogPort = await startSyslog(context, intake);
  return { otlpHttpPort, otlpGrpcPort, syslogPort };
}

/** Answers the port in use; there is none where nobody asked for one. */
async function startSyslog(
  { config, registry, running, nowNs, report }: CollectorContext,
  intake: Intake,
): Promise<number | undefined> {
  const { syslogPort } = config;
  if (syslogPort === undefined) return undefined;
  const settings = { ...config, syslogPort };
  const syslog = new SyslogReceiver({ config: settings, intake, registry, nowNs, report });
  running.receivers.push(syslog);
  return (await syslog.start()).port;
}
