import { once } from "node:events";
import { type AddressInfo, createServer, type Server } from "node:net";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { requireDebian } from "./debian-server.ts";
import { startRsyslog } from "./rsyslog.ts";
import { startSyslogNg } from "./syslog-ng.ts";

const FETCH_MS = 300_000;
const LINE = "<13>Oct 11 22:14:15 mymachine su[12]: hello";
const HEARD = /<13>Oct 11 22:14:15 \w+ su\[12\]: ?hello/;

let server: Server;
let heard = "";
beforeEach(async () => {
  heard = "";
  server = createServer((socket) => {
    socket.on("data", (chunk) => {
      heard += chunk.toString();
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterEach(() => once(server.close(), "close"));

describe.skipIf(!requireDebian("Debian's log daemons"))("Debian's log daemons", () => {
  test.each([
    [
      "rsyslog",
      startRsyslog,
      (port: number) => `action(type="omfwd" target="127.0.0.1" port="${port}" protocol="tcp"
        template="RSYSLOG_TraditionalForwardFormat")`,
    ],
    [
      "syslog-ng",
      startSyslogNg,
      (port: number) => `destination d { network("127.0.0.1" port(${port}) transport("tcp")); };
        log { source(s_in); destination(d); };`,
    ],
  ])(
    "%s passes on what it is given, and ends",
    async (_, start, rules) => {
      const daemon = await start(rules((server.address() as AddressInfo).port));
      await daemon.send([LINE]);
      await vi.waitFor(() => expect(heard).toMatch(HEARD), FETCH_MS);
      await daemon.stop();
      await daemon.stop();
    },
    FETCH_MS,
  );

  test(
    "a configuration that cannot be read is told",
    async () => {
      await expect(startSyslogNg("destination {")).rejects.toThrow(
        /cannot run syslog-ng: .*error/s,
      );
    },
    FETCH_MS,
  );
});
