import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  bodiesIn,
  keptIn,
  metricOf,
  openTcp,
  type StartedSyslog,
  sendTcp,
  sendUdp,
  startSyslog,
} from "../../../test/syslog-harness.ts";
import { ClewError } from "../../errors.ts";
import { METRIC } from "../../wire-names.ts";

const WAIT = { timeout: 20_000, interval: 20 };
const MIB = 1024 * 1024;

let started: StartedSyslog;
beforeEach(async () => {
  started = await startSyslog();
});
afterEach(() => started.syslog.stop());

/** In no order, for a request is sorted by service. */
function texts(): readonly string[] {
  return bodiesIn(started.bus).toSorted();
}

function linesOf(count: number, bytesEach = 200): readonly string[] {
  return Array.from({ length: count }, (_, n) => `<13>${n} ${"x".repeat(bytesEach)}`);
}

/** Fails until it is allowed to go on. */
function takeAway(bus: StartedSyslog["bus"]): () => void {
  bus.fault = async () => {
    throw new ClewError("BUS_UNAVAILABLE", "cannot publish: the bus is away");
  };
  return () => {
    bus.fault = async () => undefined;
  };
}

describe("over TCP", () => {
  test("messages of both framings are kept, each once", async () => {
    const line = "<13>Oct 11 22:14:15 h cart: x transaction_id=o-1\n";
    await sendTcp(started.port, `5 <1>ab${line}<2>end`);
    await vi.waitFor(() => expect(texts()).toEqual(["ab", "end", "x transaction_id=o-1"]), WAIT);
    const records = keptIn(started.bus);
    expect(records).toContainEqual(
      expect.objectContaining({ service: "cart", transactionId: "o-1" }),
    );
    expect(new Set(records.map((record) => record.id)).size).toBe(3);
    expect(await metricOf(started.registry, METRIC.syslogMessages)).toEqual({
      "tcp,text": 2,
      "tcp,rfc3164": 1,
    });
  });

  test("what a reset connection had sent is kept, its last message as far as it came", async () => {
    const socket = await openTcp(started.port);
    socket.write("<1>whole\n99 <2>half");
    await vi.waitFor(() => expect(texts()).toEqual(["whole"]), WAIT);
    socket.resetAndDestroy();
    await vi.waitFor(() => expect(texts()).toEqual(["half", "whole"]), WAIT);
    expect(await metricOf(started.registry, METRIC.syslogMarkedMessages)).toEqual({ cut: 1 });
  });

  test("a message that is too long is kept in pieces", async () => {
    const long = `<13>${"é".repeat(100_000)}`;
    await sendTcp(started.port, `${Buffer.byteLength(long)} ${long}`);
    await vi.waitFor(() => expect(texts().join("").length).toBe(100_000), WAIT);
    expect(await metricOf(started.registry, METRIC.syslogMarkedMessages)).toEqual({ split: 1 });
    expect(await metricOf(started.registry, METRIC.syslogMessages)).toEqual({ "tcp,text": 1 });
  });

  test("while the bus is away senders are held back, and nothing is lost", async () => {
    const comeBack = takeAway(started.bus);
    const lines = linesOf(40_000, 1000);
    const sent = sendTcp(started.port, `${lines.join("\n")}\n`);
    const waiting = () => metricOf(started.registry, METRIC.syslogWaitingBytes);
    await vi.waitFor(async () => expect((await waiting())[""]).toBeGreaterThan(8 * MIB), WAIT);
    expect((await waiting())[""]).toBeLessThan(9 * MIB);
    expect(started.said).toEqual([expect.stringContaining("messages wait until they can be kept")]);
    comeBack();
    await sent;
    await vi.waitFor(() => expect(keptIn(started.bus).length).toBe(lines.length), WAIT);
    expect(new Set(texts())).toEqual(new Set(lines.map((line) => line.slice("<13>".length))));
    await vi.waitFor(async () => expect(await waiting()).toEqual({}), WAIT);
    expect(started.said[1]).toBe("syslog: messages are kept again");
    expect(await metricOf(started.registry, METRIC.syslogDroppedMessages)).toEqual({});
  }, 60_000);

  test("what the bus had after all, though it was asked again, has the same id", async () => {
    await started.syslog.stop();
    started = await startSyslog({}, { publishTimeoutMs: 30 });
    const late = Promise.withResolvers<void>();
    started.bus.fault = () => late.promise;
    await sendTcp(started.port, "<13>once\n");
    await vi.waitFor(() => expect(started.said.length).toBe(1), WAIT);
    started.bus.fault = async () => undefined;
    late.resolve();
    await vi.waitFor(() => expect(keptIn(started.bus).length).toBeGreaterThan(1), WAIT);
    expect(new Set(keptIn(started.bus).map((record) => record.id)).size).toBe(1);
    expect(started.bus.messages.some((message) => message.headers.repeat)).toBe(true);
  });

  test("what the bus refuses for good is counted and told", async () => {
    started.bus.fault = async () => {
      throw new ClewError("BUS_MESSAGE_TOO_LARGE", "cannot publish: too large");
    };
    await sendTcp(started.port, "<13>a\n<13>b\n");
    const dropped = () => metricOf(started.registry, METRIC.syslogDroppedMessages);
    await vi.waitFor(async () => expect(await dropped()).toEqual({ refused: 2 }), WAIT);
    expect(started.said).toEqual(["syslog: 2 messages are lost: cannot publish: too large"]);
  });

  test("more connections than may be are closed at once", async () => {
    const sockets = await Promise.all(Array.from({ length: 512 }, () => openTcp(started.port)));
    const connections = () => metricOf(started.registry, METRIC.syslogConnections);
    await vi.waitFor(async () => expect(await connections()).toEqual({ "": 512 }), WAIT);
    const one = await openTcp(started.port);
    one.on("error", () => one.destroy());
    await once(one, "close");
    expect(await metricOf(started.registry, METRIC.syslogRefusedConnections)).toEqual({ limit: 1 });
    for (const socket of sockets) socket.destroy();
    await vi.waitFor(async () => expect(await connections()).toEqual({}), WAIT);
    await sendTcp(started.port, "<13>again\n");
    await vi.waitFor(() => expect(texts()).toEqual(["again"]), WAIT);
  });
});

describe("over UDP", () => {
  test("each datagram is one message, whatever it holds", async () => {
    const large = `<13>${"x".repeat(60_000)}`;
    await sendUdp(started.port, [
      "<13>a\nb",
      "",
      "\n",
      "5 <1>ab",
      large,
      Buffer.from([0x3c, 0xff]),
    ]);
    await vi.waitFor(() => expect(texts().length).toBe(4), WAIT);
    expect(texts()).toEqual(["5 <1>ab", "<ÿ", "a\nb", large.slice(4)]);
  });

  test("what finds no room is counted: none goes without a trace", async () => {
    const comeBack = takeAway(started.bus);
    const datagrams = linesOf(2000, 1000);
    const dropped = () => metricOf(started.registry, METRIC.syslogDroppedMessages);
    let sent = 0;
    await vi.waitFor(async () => {
      await sendUdp(started.port, datagrams);
      sent += datagrams.length;
      expect((await dropped()).full ?? 0).toBeGreaterThan(0);
    }, WAIT);
    const total = async () => {
      const { full = 0, kernel = 0 } = await dropped();
      const messages = await metricOf(started.registry, METRIC.syslogMessages);
      return full + kernel + (messages["udp,text"] ?? 0);
    };
    await vi.waitFor(async () => expect(await total()).toBe(sent), WAIT);
    comeBack();
    const messages = await metricOf(started.registry, METRIC.syslogMessages);
    await vi.waitFor(() => expect(keptIn(started.bus).length).toBe(messages["udp,text"]), WAIT);
  }, 60_000);
});

test("whoever is not in the networks that may send is not heard", async () => {
  await started.syslog.stop();
  started = await startSyslog({ syslogNetworks: ["192.0.2.0/24"] });
  const socket = await openTcp(started.port);
  socket.on("error", () => socket.destroy());
  socket.write("<13>a\n");
  await once(socket, "close");
  await sendUdp(started.port, ["<13>b"]);
  const dropped = () => metricOf(started.registry, METRIC.syslogDroppedMessages);
  await vi.waitFor(async () => expect(await dropped()).toEqual({ network: 1 }), WAIT);
  expect(await metricOf(started.registry, METRIC.syslogRefusedConnections)).toEqual({ network: 1 });
  expect(started.bus.messages).toEqual([]);
});

test("a client of an IPv4 network is known on a port for all addresses", async () => {
  await started.syslog.stop();
  started = await startSyslog({ host: "::" });
  await sendTcp(started.port, "<13>a\n");
  await sendUdp(started.port, ["<13>b"]);
  await vi.waitFor(() => expect(texts()).toEqual(["a", "b"]), WAIT);
});

describe("at the end", () => {
  test("what was sent before is read and durable, however slow the bus", async () => {
    const gate = Promise.withResolvers<void>();
    started.bus.fault = () => gate.promise;
    const lines = linesOf(2000);
    const socket = await openTcp(started.port);
    socket.on("error", () => socket.destroy());
    socket.write(`${lines.join("\n")}\n<13>no end`);
    const stopped = started.syslog.stop();
    expect(await Promise.race([stopped, once(socket, "end")])).toEqual([]);
    gate.resolve();
    await stopped;
    expect(texts().length).toBe(lines.length + 1);
    expect(started.said).toEqual([]);
  });

  test("what the bus did not take is counted and told", async () => {
    takeAway(started.bus);
    await sendTcp(started.port, "<13>a\n<13>b\n");
    await started.syslog.stop();
    expect(started.said.at(-1)).toBe(
      "syslog: 2 messages were read and could not be kept before the end",
    );
  });

  test("stop may be called twice, and then the port is free", async () => {
    await Promise.all([started.syslog.stop(), started.syslog.stop()]);
    started = await startSyslog({ syslogPort: started.port });
  });
});

test("a port that is taken is told, for TCP and for UDP", async () => {
  await expect(startSyslog({ syslogPort: started.port })).rejects.toMatchObject({
    code: "PORT_IN_USE",
  });
  const { createSocket } = await import("node:dgram");
  const other = createSocket("udp4").bind(0, "127.0.0.1");
  await once(other, "listening");
  await expect(startSyslog({ syslogPort: other.address().port })).rejects.toThrow(
    /UDP port \d+: EADDRINUSE; set CLEW_SYSLOG_PORT/,
  );
  other.close();
});
