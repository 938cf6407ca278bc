import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { KAFKA_VARIABLE, readKafkaConfig } from "./config.ts";

const folder = mkdtempSync(join(tmpdir(), "clew-kafka-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const BROKERS = { [KAFKA_VARIABLE.brokers]: "127.0.0.1:9092" };

test("without brokers the bus is not Kafka", () => {
  expect(readKafkaConfig({})).toBeUndefined();
  expect(readKafkaConfig({ [KAFKA_VARIABLE.brokers]: " " })).toBeUndefined();
});

test("brokers alone are enough", () => {
  expect(readKafkaConfig({ [KAFKA_VARIABLE.brokers]: "a-1.example:9092, 10.0.0.1:19092" })).toEqual(
    {
      brokers: ["a-1.example:9092", "10.0.0.1:19092"],
      topicPrefix: "clew",
      tls: undefined,
      sasl: undefined,
      clientRack: undefined,
      setup: { partitions: 6, replicationFactor: undefined, retentionHours: 168 },
    },
  );
});

test("everything can be set, and a password's file may end in a line feed", () => {
  const config = readKafkaConfig({
    ...BROKERS,
    [KAFKA_VARIABLE.topicPrefix]: "shop.clew",
    [KAFKA_VARIABLE.tls]: "1",
    [KAFKA_VARIABLE.saslMechanism]: "SCRAM-SHA-512",
    [KAFKA_VARIABLE.saslUsername]: "clew",
    [`${KAFKA_VARIABLE.saslPassword}_FILE`]: file("password", " p,w \n"),
    [KAFKA_VARIABLE.clientRack]: "zone-b",
    [KAFKA_VARIABLE.partitions]: "12",
    [KAFKA_VARIABLE.replicationFactor]: "3",
    [KAFKA_VARIABLE.retentionHours]: "24",
  });
  expect(config).toMatchObject({
    topicPrefix: "shop.clew",
    tls: { ca: undefined, cert: undefined, key: undefined },
    sasl: { mechanism: "scram-sha-512", username: "clew", password: " p,w " },
    clientRack: "zone-b",
    setup: { partitions: 12, replicationFactor: 3, retentionHours: 24 },
  });
});

const user = { [KAFKA_VARIABLE.saslUsername]: "clew", [KAFKA_VARIABLE.saslPassword]: "secret-1" };
const text = file("text", "not a certificate");

test.each<[string, Record<string, string>, string, string]>([
  ["no broker between commas", {}, KAFKA_VARIABLE.brokers, " , "],
  ["a broker without port", {}, KAFKA_VARIABLE.brokers, "kafka"],
  ["a broker with a scheme", {}, KAFKA_VARIABLE.brokers, "http://kafka:9092"],
  ["a port too large", {}, KAFKA_VARIABLE.brokers, "kafka:65536"],
  ["port 0", {}, KAFKA_VARIABLE.brokers, "kafka:0"],
  ["an IPv6 address, which kafkajs cuts short", {}, KAFKA_VARIABLE.brokers, "[::1]:9092"],
  ["a prefix with a blank", BROKERS, KAFKA_VARIABLE.topicPrefix, "my clew"],
  ["a prefix too long", BROKERS, KAFKA_VARIABLE.topicPrefix, "x".repeat(201)],
  ["TLS that is neither on nor off", BROKERS, KAFKA_VARIABLE.tls, "yes"],
  ["an authority without TLS", BROKERS, KAFKA_VARIABLE.tlsCa, text],
  ["an authority that is no PEM", tls(), KAFKA_VARIABLE.tlsCa, text],
  ["a file that is not there", tls(), KAFKA_VARIABLE.tlsCa, join(folder, "none")],
  ["a certificate without key", tls(), KAFKA_VARIABLE.tlsCert, text],
  ["an unknown mechanism", { ...BROKERS, ...user }, KAFKA_VARIABLE.saslMechanism, "gssapi"],
  ["no partitions", BROKERS, KAFKA_VARIABLE.partitions, "0"],
  ["a replication that is no number", BROKERS, KAFKA_VARIABLE.replicationFactor, "three"],
  ["retention beyond ten years", BROKERS, KAFKA_VARIABLE.retentionHours, "87601"],
])("%s is refused in one line", (_, env, name, value) => {
  const read = () => readKafkaConfig({ ...env, [name]: value });
  expect(read).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  expect(read).toThrow(`${name}=${value}: `);
  expect(read).not.toThrow(/\n|secret-1/);
});

test.each<[string, Record<string, string>, string]>([
  ["an account without mechanism", user, KAFKA_VARIABLE.saslMechanism],
  [
    "a mechanism without user",
    { [KAFKA_VARIABLE.saslMechanism]: "plain" },
    KAFKA_VARIABLE.saslUsername,
  ],
  [
    "a mechanism without password",
    { [KAFKA_VARIABLE.saslMechanism]: "plain", [KAFKA_VARIABLE.saslUsername]: "clew" },
    KAFKA_VARIABLE.saslPassword,
  ],
  [
    "a password twice",
    { ...user, [`${KAFKA_VARIABLE.saslPassword}_FILE`]: text },
    KAFKA_VARIABLE.saslPassword,
  ],
])("%s is refused, without a word of the password", (_, env, name) => {
  const read = () => readKafkaConfig({ ...BROKERS, ...env });
  expect(read).toThrow(new RegExp(`^${name}=`));
  expect(read).not.toThrow(/secret-1/);
});

test("what only Kafka needs is refused without it", () => {
  const allowed = `nothing while ${KAFKA_VARIABLE.brokers} names no broker`;
  expect(() => readKafkaConfig({ [KAFKA_VARIABLE.tls]: "1" })).toThrow(
    `${KAFKA_VARIABLE.tls}=(set): allowed is ${allowed}`,
  );
});

function tls(): Record<string, string> {
  return { ...BROKERS, [KAFKA_VARIABLE.tls]: "1" };
}
