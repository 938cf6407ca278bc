export interface KafkaSecurity {
  /** Files in PEM: key and chain in one, and who is trusted to sign clients' certificates. */
  readonly tls?: { readonly keystore: string; readonly clientCa?: string };
  /** Absent: anybody. */
  readonly sasl?: KafkaAccount;
  /** True: nobody may do anything without an entry in the access control list. */
  readonly hasAuthorizer?: boolean;
}

export interface KafkaAccount {
  readonly mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
  readonly username: string;
  readonly password: string;
}

export interface KafkaNode {
  readonly port: number;
  readonly controllerPort: number;
  readonly dataDir: string;
  /** A second listener, with these demands; the first stays open to all of this machine. */
  readonly secure?: KafkaSecurity & { readonly port: number };
  /** Further properties, or others than these. */
  readonly properties?: Readonly<Record<string, string | number | boolean>>;
}

/** `server.properties` of one node that is broker and controller at once, quick to come back. */
export function kafkaProperties(node: KafkaNode): string {
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
    ...secureListener(node),
    ...node.properties,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}

/** What the plain configuration says of listeners, with the secure one beside it. */
function secureListener({ secure, port, controllerPort }: KafkaNode): Record<string, string> {
  if (secure === undefined) return {};
  const plain = `PLAINTEXT://127.0.0.1:${port}`;
  const own = `SECURE://127.0.0.1:${secure.port}`;
  const protocol = `${secure.sasl ? "SASL_" : ""}${secure.tls ? "SSL" : "PLAINTEXT"}`;
  return {
    listeners: `${plain},${own},CONTROLLER://127.0.0.1:${controllerPort}`,
    "advertised.listeners": `${plain},${own}`,
    "listener.security.protocol.map": `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:${protocol}`,
    ...tlsProperties(secure.tls),
    ...saslProperties(secure.sasl),
    ...(secure.hasAuthorizer && {
      "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
      "super.users": "User:ANONYMOUS",
    }),
  };
}

function tlsProperties(tls: KafkaSecurity["tls"]): Record<string, string> {
  if (tls === undefined) return {};
  const prefix = "listener.name.secure.ssl";
  return {
    [`${prefix}.keystore.type`]: "PEM",
    [`${prefix}.keystore.location`]: tls.keystore,
    ...(tls.clientCa && {
      [`${prefix}.client.auth`]: "required",
      [`${prefix}.truststore.type`]: "PEM",
      [`${prefix}.truststore.location`]: tls.clientCa,
    }),
  };
}

/** SCRAM's accounts are made when the data folder is formatted. */
function saslProperties(account: KafkaAccount | undefined): Record<string, string> {
  if (account === undefined) return {};
  const { mechanism, username, password } = account;
  const prefix = "listener.name.secure";
  const jaas = `${prefix}.${mechanism.toLowerCase()}.sasl.jaas.config`;
  const module =
    mechanism === "PLAIN"
      ? `plain.PlainLoginModule required user_${username}="${password}"`
      : "scram.ScramLoginModule required";
  return {
    [`${prefix}.sasl.enabled.mechanisms`]: mechanism,
    [jaas]: `org.apache.kafka.common.security.${module};`,
  };
}

function singleReplica(topic: string): Record<string, number> {
  return { [`${topic}.replication.factor`]: 1, [`${topic}.num.partitions`]: 1 };
}
