import { expect, test } from "vitest";
import { Lane } from "./lane.ts";
import { type LaneName, RecordAssembler } from "./record-assembler.ts";

const TIME = "2026-01-31T12:00:00Z";
const PARTS = { encoding: "utf8", multiline: "auto" } as const;

function assembler(offset = 0, lanes: ReadonlyMap<LaneName, Lane> = new Map()): RecordAssembler {
  return new RecordAssembler({ ...PARTS, offset, lanes });
}

const shown = ({ text, stream, start }: { text: string; stream: string; start: number }) =>
  `${stream}@${start} ${text}`;

/** Of two streams that lie between each other, with partial lines and stack traces. */
const CONTAINER = [
  `${TIME} stdout P half `,
  `${TIME} stderr F Error: boom`,
  `${TIME} stdout F whole`,
  `${TIME} stderr F     at charge (/app/shop.js:3:9)`,
  `${TIME} stdout F {"msg":"json"}`,
  `${TIME} stderr F     at main (/app/main.js:1:1)`,
  `${TIME} stdout F plain`,
  `${TIME} stderr F next`,
  "",
].join("\n");

const CONTAINER_RECORDS = [
  "stdout half whole",
  'stdout {"msg":"json"}',
  "stderr Error: boom\n    at charge (/app/shop.js:3:9)\n    at main (/app/main.js:1:1)",
  "stdout plain",
  "stderr next",
];

test("streams of a container are joined each for itself", () => {
  const joining = assembler();
  const records = [...joining.push(Buffer.from(CONTAINER)), ...joining.end()];
  const texts = records.map(({ stream, text }) => `${stream} ${text}`);
  expect(texts.toSorted()).toEqual(CONTAINER_RECORDS.toSorted());
  expect(records[0]?.time).toBe(TIME);
});

test("reading may begin again after any acknowledgement: records keep their places", () => {
  const whole = assembler();
  const all = [...whole.push(Buffer.from(CONTAINER)), ...whole.end()].map(shown);
  for (let acknowledged = 0; acknowledged <= all.length; acknowledged++) {
    const first = assembler();
    const records = [...first.push(Buffer.from(CONTAINER)), ...first.end()];
    for (const { lane, end } of records.slice(0, acknowledged)) {
      lane.acknowledge(lane.open(end));
    }
    const places = [...first.lanes].map(([name, lane]) => [name, new Lane(lane.place)] as const);
    const offset = Math.min(...places.map(([, lane]) => lane.position));
    const again = assembler(offset, new Map(places));
    const rest = [...again.push(Buffer.from(CONTAINER).subarray(offset)), ...again.end()];
    expect(rest.map(shown).toSorted()).toEqual(records.slice(acknowledged).map(shown).toSorted());
  }
});

test("a partial line that was cut by time is cut there again", () => {
  const first = assembler();
  const head = Buffer.from(`${TIME} stdout P half \n`);
  const tail = Buffer.from(`${TIME} stdout F whole\n`);
  first.push(head);
  const records = [...first.cut(), ...first.push(tail), ...first.end()];
  expect(records.map(({ text }) => text)).toEqual(["half ", "whole"]);
  const lanes = new Map(
    [...first.lanes].map(([name, { place }]) => [name, new Lane(place)] as const),
  );
  const again = assembler(0, lanes);
  expect([...again.push(Buffer.concat([head, tail])), ...again.end()].map(shown)).toEqual(
    records.map(shown),
  );
});

test("tells where reading must begin again, and how much it holds", () => {
  const joining = assembler();
  joining.push(Buffer.from("one\ntwo\n\tmore\nthr"));
  expect(joining.resumeOffset).toBe(4);
  expect(joining.hasOpenRecord).toBe(true);
  expect(joining.heldBytes).toBe("two\n\tmore".length + "thr".length);
  joining.cut();
  expect(joining.resumeOffset).toBe(14);
  expect(joining.hasOpenRecord).toBe(false);
});

test("a lane that waits for nothing does not hold back its file", () => {
  const joining = assembler();
  const [record] = joining.push(Buffer.from(`${TIME} stderr F {"a":1}\n`));
  if (record === undefined) throw new Error("there is no record");
  record.lane.acknowledge(record.lane.open(record.end));
  joining.push(Buffer.from(`${TIME} stdout F waiting\n`));
  joining.settle();
  const positions = [...joining.lanes].map(([name, lane]) => [name, lane.position]);
  const lineBytes = `${TIME} stderr F {"a":1}\n`.length;
  expect(Object.fromEntries(positions)).toEqual({
    stderr: lineBytes + `${TIME} stdout F waiting\n`.length,
    stdout: lineBytes,
  });
});
