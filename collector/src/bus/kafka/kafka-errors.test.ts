import kafkajs from "kafkajs";
import { expect, test } from "vitest";
import { ClewError } from "../../errors.ts";
import { kafkaErrorType, toKafkaError } from "./kafka-errors.ts";

const ATTEMPT = { act: "publish", resource: "topic clew.logs", right: "Write" };

/** As kafkajs hands them out: in one or two errors that say that nothing can be retried. */
function wrapped(error: Error): Error {
  const outer = new kafkajs.KafkaJSNonRetriableError(error.message);
  return Object.assign(outer, { cause: error });
}

function protocolError(type: string): Error {
  const message = `Kafka says ${type}`;
  return new kafkajs.KafkaJSProtocolError(Object.assign(new Error(message), { type, code: 1 }));
}

function connectionError(code: string): Error {
  const error = new kafkajs.KafkaJSConnectionError(`Connection error: ${code}`);
  return Object.assign(error, { code });
}

function named(name: string, message: string): Error {
  return Object.assign(new Error(message), { name });
}

test.each([
  [protocolError("MESSAGE_TOO_LARGE"), "BUS_MESSAGE_TOO_LARGE", "takes no message so large"],
  [protocolError("RECORD_LIST_TOO_LARGE"), "BUS_MESSAGE_TOO_LARGE", "takes no message so large"],
  [protocolError("TOPIC_AUTHORIZATION_FAILED"), "BUS_REFUSED", "Kafka denies the right Write on"],
  [
    protocolError("UNKNOWN_TOPIC_OR_PARTITION"),
    "BUS_UNAVAILABLE",
    "is not there; clew setup makes",
  ],
  [protocolError("NOT_ENOUGH_REPLICAS"), "BUS_UNAVAILABLE", "too few replicas of topic clew.logs"],
  [protocolError("LEADER_NOT_AVAILABLE"), "BUS_UNAVAILABLE", "no broker leads topic clew.logs now"],
  [protocolError("REQUEST_TIMED_OUT"), "BUS_UNAVAILABLE", "Kafka says REQUEST_TIMED_OUT"],
  [connectionError("ECONNREFUSED"), "BUS_UNAVAILABLE", "Connection error: ECONNREFUSED"],
  [connectionError("SELF_SIGNED_CERT_IN_CHAIN"), "BUS_REFUSED", "no TLS connection to Kafka"],
  [connectionError("ERR_TLS_CERT_ALTNAME_INVALID"), "BUS_REFUSED", "no TLS connection to Kafka"],
  [named("KafkaJSSASLAuthenticationError", "no"), "BUS_REFUSED", "Kafka refuses"],
  [named("KafkaJSMetadataNotLoaded", "not loaded"), "BUS_UNAVAILABLE", "not loaded"],
])("%s is %s", (error, code, why) => {
  for (const thrown of [error, wrapped(error), wrapped(wrapped(error))]) {
    const told = toKafkaError(thrown, ATTEMPT);
    expect(told).toMatchObject({ code, cause: thrown });
    expect(told.message).toMatch(/^cannot publish: [^\n]+$/);
    expect(told.message).toContain(why);
  }
});

test("of several topics that could not be made the first is told", () => {
  const errors = [protocolError("TOPIC_AUTHORIZATION_FAILED"), protocolError("POLICY_VIOLATION")];
  const thrown = Object.assign(new Error("Topic creation errors"), { errors });
  expect(toKafkaError(thrown, ATTEMPT).code).toBe("BUS_REFUSED");
  expect(kafkaErrorType(thrown)).toBe("TOPIC_AUTHORIZATION_FAILED");
});

test("our own errors pass as they are, and what is no error is told", () => {
  const own = new ClewError("BUS_STOPPED", "cannot publish: over");
  expect(toKafkaError(own, ATTEMPT)).toBe(own);
  expect(toKafkaError("odd", ATTEMPT)).toMatchObject({
    code: "BUS_UNAVAILABLE",
    message: "cannot publish: odd",
  });
});
