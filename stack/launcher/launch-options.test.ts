import { expect, test } from "vitest";
import { StackError } from "../errors.ts";
import { parseLaunchOptions } from "./launch-options.ts";

const EVERYTHING = { demo: true, load: true, kafka: false, json: false, help: false };

test.each([
  [[], EVERYTHING],
  [["--no-demo"], { ...EVERYTHING, demo: false, load: false }],
  [["--no-load", "--json"], { ...EVERYTHING, load: false, json: true }],
  [["--kafka"], { ...EVERYTHING, kafka: true }],
  [["-h"], { ...EVERYTHING, help: true }],
])("reads %j", (args, want) => {
  expect(parseLaunchOptions(args)).toEqual(want);
});

test.each([[["--no-dmeo"]], [["demo"]], [["--kafka=yes"]], [["--kafka", "--no-demo"]]])(
  "refuses %j in one line",
  (args) => {
    const error = thrownBy(() => parseLaunchOptions(args));
    expect(error).toBeInstanceOf(StackError);
    expect(error).toMatchObject({ code: "OPTION_INVALID", exitCode: 2 });
    expect((error as Error).message).toMatch(/^cannot start: .+; see npm start -- --help$/);
  },
);

function thrownBy(act: () => unknown): unknown {
  try {
    act();
  } catch (error) {
    return error;
  }
  return undefined;
}
