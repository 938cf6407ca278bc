import { connect } from "node:net";

/**
 * ApiVersions v0 (Kafka protocol): int32 size 10, int16 api key 18, int16 version 0,
 * int32 correlation id 42, int16 client id length −1.
 */
const API_VERSIONS_REQUEST = Buffer.from("0000000a001200000000002affff", "hex");
/** int32 size, int32 correlation id, int16 error code. */
const ANSWER_BYTES_MIN = 10;
const TIMEOUT_MS = 500;

/**
 * Whether a broker answers at this port. Its client listener opens only once it is registered, so
 * an answer means that it is ready.
 */
export function isKafkaReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    let answered = 0;
    const done = (isReady: boolean) => {
      socket.destroy();
      resolve(isReady);
    };
    socket.setTimeout(TIMEOUT_MS, () => done(false));
    socket.once("connect", () => socket.write(API_VERSIONS_REQUEST));
    socket.on("data", (chunk) => {
      answered += chunk.length;
      if (answered >= ANSWER_BYTES_MIN) done(true);
    });
    socket.once("error", () => done(false));
    socket.once("close", () => done(false));
  });
}
