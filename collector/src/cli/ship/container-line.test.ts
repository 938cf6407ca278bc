import { expect, test } from "vitest";
import { type ContainerLine, findContainerLine } from "./container-line.ts";

const TIME = "2026-01-31T12:00:00.123456789Z";
const docker = (fields: object) => JSON.stringify(fields);

test.each<[string, ContainerLine | undefined]>([
  [
    `${TIME} stdout F hello world`,
    { stream: "stdout", text: "hello world", time: TIME, isPartial: false },
  ],
  [`${TIME} stderr P half a `, { stream: "stderr", text: "half a ", time: TIME, isPartial: true }],
  [`${TIME} stdout F`, { stream: "stdout", text: "", time: TIME, isPartial: false }],
  [
    `${TIME} stdout P:x:y tagged`,
    { stream: "stdout", text: "tagged", time: TIME, isPartial: true },
  ],
  [
    `${TIME} stdout F  indented`,
    { stream: "stdout", text: " indented", time: TIME, isPartial: false },
  ],
  [
    docker({ log: "hi\n", stream: "stdout", time: TIME }),
    { stream: "stdout", text: "hi", time: TIME, isPartial: false },
  ],
  [
    docker({ log: "half ", stream: "stderr", attrs: { tag: "x" }, time: TIME }),
    { stream: "stderr", text: "half ", time: TIME, isPartial: true },
  ],
  [`${TIME} stdin F no such stream`, undefined],
  [`${TIME} stdout X no such tag`, undefined],
  [`${TIME} INFO a line of its own`, undefined],
  [docker({ log: "an application's own field", level: 30 }), undefined],
  [docker({ log: 5, stream: "stdout", time: TIME }), undefined],
  ['{"log":"cut off', undefined],
  ["", undefined],
])("%s", (line, want) => {
  expect(findContainerLine(line)).toEqual(want);
});
