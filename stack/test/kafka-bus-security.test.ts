import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import kafkajs, { type AclOperationTypes as AclOperation, Kafka, logLevel } from "kafkajs";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { KAFKA_VARIABLE } from "../../collector/src/bus/kafka/config.ts";
import { setUpKafka } from "../../collector/src/bus/kafka/kafka-setup.ts";
import { KafkaBroker } from "../backends/kafka-broker.ts";
import { requireJava } from "../backends/required-programs.ts";
import { makeTestCertificates, type TestCertificates } from "../backends/test-certificates.ts";
import { BusHarness, kafkaConfig, logsMessage } from "./kafka-bus-harness.ts";

// Node.js does not find these among the names that kafkajs exports.
const { AclOperationTypes, AclPermissionTypes, AclResourceTypes, ResourcePatternTypes } = kafkajs;

const FIRST_START_MS = 400_000;
const FAULT_MS = 120_000;
const RECOVERY = { timeout: 60_000, interval: 50 };
const PASSWORD = "correct-horse";
const hasJava = requireJava("TLS and authentication of a real Kafka");

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "clew-kafka-security-"));
});
afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(!hasJava)("TLS with an authority of our own, SCRAM, and rights", () => {
  let kafka: KafkaBroker;
  let certificates: TestCertificates;
  const harness = new BusHarness();
  beforeAll(async () => {
    certificates = await makeTestCertificates(folder);
    const { keystore, ca } = certificates;
    const sasl = { mechanism: "SCRAM-SHA-512", username: "clew", password: PASSWORD } as const;
    const tls = { keystore, clientCa: ca };
    kafka = new KafkaBroker({ security: { tls, sasl, hasAuthorizer: true } });
    await kafka.start();
  }, FIRST_START_MS);
  afterEach(() => harness.stop(), FAULT_MS);
  afterAll(() => kafka.stop());

  function secureConfig(env: Readonly<Record<string, string>> = {}) {
    return kafkaConfig(kafka.secureBrokers, {
      [KAFKA_VARIABLE.tls]: "1",
      [KAFKA_VARIABLE.tlsCa]: certificates.ca,
      [KAFKA_VARIABLE.tlsCert]: certificates.cert,
      [KAFKA_VARIABLE.tlsKey]: certificates.key,
      [KAFKA_VARIABLE.saslMechanism]: "scram-sha-512",
      [KAFKA_VARIABLE.saslUsername]: "clew",
      [KAFKA_VARIABLE.saslPassword]: PASSWORD,
      ...env,
    });
  }

  test("tells which right is missing, until it is given and once it is taken", async () => {
    const config = secureConfig();
    const topic = `topic ${config.topicPrefix}.logs`;
    const rights = new Rights(kafka, config.topicPrefix);
    await expect(setUpKafka(config)).rejects.toMatchObject({
      code: "BUS_REFUSED",
      message: `cannot look for ${topic}: Kafka denies the right Describe on ${topic}`,
    });
    await rights.give(AclOperationTypes.DESCRIBE);
    await vi.waitFor(async () => {
      await expect(setUpKafka(config)).rejects.toMatchObject({
        code: "BUS_REFUSED",
        message: `cannot create ${topic}: Kafka denies the right Create on ${topic}`,
      });
    }, RECOVERY);
    await rights.give(AclOperationTypes.CREATE);
    await vi.waitFor(() => setUpKafka(config), RECOVERY);
    expect((await setUpKafka(config)).topics[0]?.settings).toBeUndefined();

    const bus = await harness.open(config);
    const denied = {
      code: "BUS_REFUSED",
      message: `cannot publish: Kafka denies the right Write on ${topic}`,
    };
    await expect(bus.publish(logsMessage("x"))).rejects.toMatchObject(denied);
    await expect(bus.check()).rejects.toMatchObject(denied);
    await rights.give(AclOperationTypes.WRITE);
    await vi.waitFor(() => bus.publish(logsMessage("x")), RECOVERY);
    await bus.check();
    await rights.take(AclOperationTypes.WRITE);
    await vi.waitFor(async () => {
      await expect(bus.publish(logsMessage("x"))).rejects.toMatchObject(denied);
    }, RECOVERY);
    await expect(bus.check()).rejects.toMatchObject(denied);
    expect(harness.reports).toEqual([denied.message, "Kafka takes messages again", denied.message]);
  });

  test("refuses to open with a wrong password, in one line that does not show it", async () => {
    const config = secureConfig({ [KAFKA_VARIABLE.saslPassword]: "not-this-one" });
    const refused = harness.open(config);
    await expect(refused).rejects.toMatchObject({
      code: "BUS_REFUSED",
      message: expect.stringMatching(/^cannot use Kafka: Kafka refuses .*SASL_PASSWORD: [^\n]+$/),
    });
    await expect(refused).rejects.not.toMatchObject({
      message: expect.stringContaining("not-this-one"),
    });
  });

  test("refuses to open where nobody trusted signed the broker's certificate", async () => {
    const other = await mkdtemp(join(folder, "other-"));
    const { ca } = await makeTestCertificates(other);
    await expect(harness.open(secureConfig({ [KAFKA_VARIABLE.tlsCa]: ca }))).rejects.toMatchObject({
      code: "BUS_REFUSED",
      message: expect.stringMatching(/^cannot use Kafka: no TLS connection to Kafka: .*TLS_CA\)$/),
    });
  });
});

describe.skipIf(!hasJava)("the password is changed at the broker, with PLAIN", () => {
  const account = { mechanism: "PLAIN", username: "clew", password: PASSWORD } as const;
  const kafka = new KafkaBroker({ security: { sasl: account } });
  const harness = new BusHarness();
  beforeAll(() => kafka.start(), FIRST_START_MS);
  afterAll(async () => {
    await harness.stop();
    await kafka.stop();
  });

  test(
    "is refused with its reason while it runs, and recovers once it is right again",
    async () => {
      const file = join(folder, "password");
      await writeFile(file, `${PASSWORD}\n`);
      const config = kafkaConfig(kafka.secureBrokers, {
        [KAFKA_VARIABLE.saslMechanism]: "plain",
        [KAFKA_VARIABLE.saslUsername]: "clew",
        [`${KAFKA_VARIABLE.saslPassword}_FILE`]: file,
      });
      await setUpKafka(config);
      const bus = await harness.open(config);
      await bus.publish(logsMessage("x"));
      await kafka.configure({ security: { sasl: { ...account, password: "another" } } });
      await kafka.crash();
      await kafka.restart();
      const refused = { code: "BUS_REFUSED", message: expect.stringContaining("SASL_PASSWORD") };
      await vi.waitFor(() => expect(bus.check()).rejects.toMatchObject(refused), RECOVERY);
      await vi.waitFor(async () => {
        await expect(bus.publish(logsMessage("x"))).rejects.toMatchObject(refused);
      }, RECOVERY);
      await kafka.configure({ security: { sasl: account } });
      await kafka.crash();
      await kafka.restart();
      await vi.waitFor(() => bus.check(), RECOVERY);
      await bus.publish(logsMessage("x"));
    },
    FAULT_MS,
  );
});

/** Of the account on all topics with the prefix; the plain listener may do everything. */
class Rights {
  readonly #client: Kafka;
  readonly #prefix: string;

  constructor(kafka: KafkaBroker, prefix: string) {
    this.#client = new Kafka({ brokers: [...kafka.brokers], logLevel: logLevel.NOTHING });
    this.#prefix = prefix;
  }

  give(operation: AclOperation): Promise<void> {
    return this.#act((admin) => admin.createAcls({ acl: [this.#entry(operation)] }));
  }

  take(operation: AclOperation): Promise<void> {
    return this.#act((admin) => admin.deleteAcls({ filters: [this.#entry(operation)] }));
  }

  #entry(operation: AclOperation) {
    return {
      resourceType: AclResourceTypes.TOPIC,
      resourceName: this.#prefix,
      resourcePatternType: ResourcePatternTypes.PREFIXED,
      principal: "User:clew",
      host: "*",
      operation,
      permissionType: AclPermissionTypes.ALLOW,
    };
  }

  async #act(act: (admin: ReturnType<Kafka["admin"]>) => Promise<unknown>): Promise<void> {
    const admin = this.#client.admin();
    await admin.connect();
    await act(admin);
    await admin.disconnect();
  }
}
