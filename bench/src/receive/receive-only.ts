/**
 * A collector's receiving part alone in a process of its own: the real doors, intake and Kafka bus,
 * without indexer and store, whose CPU is not the receiver's.
 */

import { KafkaBus } from "../../../collector/src/bus/kafka/kafka-bus.ts";
import { letHeapGrow } from "../../../collector/src/cli/serve.ts";
import { readConfig } from "../../../collector/src/config.ts";
import { createRegistry } from "../../../collector/src/metrics.ts";
import { GrpcReceiver } from "../../../collector/src/receive/grpc/grpc-receiver.ts";
import { HttpReceiver, RECEIVE_TIMEOUTS } from "../../../collector/src/receive/http-receiver.ts";
import { Intake } from "../../../collector/src/receive/intake.ts";
import { OtlpDoor } from "../../../collector/src/receive/otlp-door.ts";

letHeapGrow();
const config = readConfig();
const { kafka, maxInFlightBytes } = config;
if (kafka === undefined) throw new Error("cannot start: no broker is named");
const bus = await KafkaBus.open({ config: kafka, maxInFlightBytes, report: console.error });
const nowNs = () => BigInt(Date.now()) * 1_000_000n;
const intake = new Intake({ config, bus, registry: createRegistry(), nowNs });
const door = new OtlpDoor({ config, intake, bodyTimeoutMs: RECEIVE_TIMEOUTS.bodyMs });
const http = new HttpReceiver({ config, doors: [door] });
const grpc = new GrpcReceiver({ config, intake });
const { port: otlpHttpPort } = await http.start();
const { port: otlpGrpcPort } = await grpc.start();
console.log(JSON.stringify({ event: "ready", port: 0, otlpHttpPort, otlpGrpcPort }));

process.once("SIGINT", async () => {
  await Promise.all([http.stop(), grpc.stop()]);
  await bus.stop();
  process.exit();
});
