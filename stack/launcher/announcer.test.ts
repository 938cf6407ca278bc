import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { Announcer } from "./announcer.ts";

test("says a sentence to people and data to programs", () => {
  const announcement = { event: "ready", text: "Clew is there", data: { port: 4320 } };
  expect(written(false, (announcer) => announcer.say(announcement))).toBe("Clew is there\n");
  expect(written(true, (announcer) => announcer.say(announcement))).toBe(
    '{"event":"ready","port":4320}\n',
  );
});

test("relays a few lines, names the file that has them all, and begins anew later", () => {
  let nowMs = 0;
  const output = written(
    false,
    (announcer) => {
      for (let i = 0; i < 1000; i++) relay(announcer, `fault ${i}`);
      nowMs = 10_000;
      relay(announcer, "fault later");
    },
    () => nowMs,
  );
  expect(output.trimEnd().split("\n")).toEqual([
    ...[0, 1, 2, 3, 4].map((i) => `collector: fault ${i}`),
    "collector: (more in collector.log)",
    "collector: fault later",
  ]);
});

function relay(announcer: Announcer, line: string): void {
  announcer.relay({ name: "collector", line, logFile: "collector.log" });
}

function written(
  isJson: boolean,
  act: (announcer: Announcer) => void,
  now: () => number = () => 0,
): string {
  const output = new PassThrough();
  act(new Announcer({ output, isJson, now }));
  return String(output.read());
}
