/** `server.properties` of one node that is broker and controller at once, quick to come back. */
export function kafkaProperties(node: {
  port: number;
  controllerPort: number;
  dataDir: string;
}): string {
  const controller = `127.0.0.1:${node.controllerPort}`;
  const properties: Readonly<Record<string, string | number | boolean>> = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.bootstrap.servers": controller,
    listeners: `PLAINTEXT://127.0.0.1:${node.port},CONTROLLER://${controller}`,
    "advertised.listeners": `PLAINTEXT://127.0.0.1:${node.port}`,
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": node.dataDir,
    "auto.create.topics.enable": false,
    ...singleReplica("offsets.topic"),
    ...singleReplica("transaction.state.log"),
    "transaction.state.log.min.isr": 1,
    ...singleReplica("share.coordinator.state.topic"),
    "share.coordinator.state.topic.min.isr": 1,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 2_097_152,
    // A killed broker is taken back after 4 s in place of 12.
    "broker.session.timeout.ms": 2_000,
    "broker.heartbeat.interval.ms": 500,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

function singleReplica(topic: string): Record<string, number> {
  return { [`${topic}.replication.factor`]: 1, [`${topic}.num.partitions`]: 1 };
}
