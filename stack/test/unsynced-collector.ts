/** A receiver whose bus does not sync: what the durability test must be able to tell apart. */
import { join } from "node:path";
import { EmbeddedBus } from "../../collector/src/bus/embedded-bus.ts";
import { readConfig } from "../../collector/src/config.ts";
import { createRegistry } from "../../collector/src/metrics.ts";
import { HttpReceiver, RECEIVE_TIMEOUTS } from "../../collector/src/receive/http-receiver.ts";
import { Intake } from "../../collector/src/receive/intake.ts";
import { OtlpDoor } from "../../collector/src/receive/otlp-door.ts";

const config = readConfig();
const nowNs = () => BigInt(Date.now()) * 1_000_000n;
const bus = await EmbeddedBus.open({
  dir: join(config.dataDir, "bus"),
  maxInFlightBytes: config.maxInFlightBytes,
  fsync: false,
  nowNs,
});
const intake = new Intake({ config, bus, registry: createRegistry(), nowNs });
const door = new OtlpDoor({ config, intake, bodyTimeoutMs: RECEIVE_TIMEOUTS.bodyMs });
const receiver = new HttpReceiver({ config, doors: [door] });
const { port } = await receiver.start();
process.stdout.write(`${JSON.stringify({ event: "ready", otlpHttpPort: port })}\n`);
process.once("SIGTERM", async () => {
  await receiver.stop();
  await bus.stop();
});
