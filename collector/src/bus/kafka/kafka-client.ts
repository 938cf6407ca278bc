import { Kafka, type KafkaConfig as KafkaJsConfig, logLevel, type SASLOptions } from "kafkajs";
import type { KafkaConfig, KafkaSasl, KafkaTls } from "./config.ts";
import { quietRequestQueue } from "./quiet-request-queue.ts";
import { sendBatchesWhole } from "./send-batches-whole.ts";
import { registerZstd } from "./zstd-codec.ts";

export interface KafkaClientOptions {
  readonly config: KafkaConfig;
  /** How the broker's log and quotas name us, as `clew-receive`. */
  readonly clientId: string;
}

const CONNECT_TIMEOUT_MS = 3_000;
const AUTHENTICATION_TIMEOUT_MS = 10_000;
/** An answer that takes longer than this is asked for again. */
export const REQUEST_TIMEOUT_MS = 10_000;
/**
 * Of connecting and of metadata. Whoever asks for more, as a producer, says so itself: the retries
 * of the two are multiplied.
 */
const RETRY = { initialRetryTime: 100, maxRetryTime: 1_000, retries: 2 };

/**
 * The client that everything in this folder uses: the only place that says how to reach Kafka.
 * kafkajs logs nothing of its own, because it would log each attempt; what goes wrong is told by
 * whoever asked for it. Opens no connection.
 */
export function createKafkaClient({ config, clientId }: KafkaClientOptions): Kafka {
  registerZstd();
  quietRequestQueue();
  sendBatchesWhole();
  const options: KafkaJsConfig = {
    clientId,
    brokers: [...config.brokers],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    authenticationTimeout: AUTHENTICATION_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: logLevel.NOTHING,
  };
  if (config.tls) options.ssl = tlsOptions(config.tls);
  if (config.sasl) options.sasl = saslOptions(config.sasl);
  return new Kafka(options);
}

function tlsOptions({ ca, cert, key }: KafkaTls): NonNullable<KafkaJsConfig["ssl"]> {
  return {
    ...(ca && { ca: ca.text }),
    ...(cert && { cert: cert.text }),
    ...(key && { key: key.text }),
  };
}

/** Each mechanism is a type of its own in kafkajs. */
function saslOptions({ mechanism, ...user }: KafkaSasl): SASLOptions {
  switch (mechanism) {
    case "plain":
      return { mechanism, ...user };
    case "scram-sha-256":
      return { mechanism, ...user };
    case "scram-sha-512":
      return { mechanism, ...user };
  }
}
