import { expect, it, vi } from "vitest";
import { main } from "./main.ts";

it.for([[], ["nope"], ["toString"], ["embedded", "bus-choice"], ["embedded", "--fast"]])(
  "refuses %j in one line",
  async (args) => {
    const written = vi.spyOn(process.stderr, "write").mockReturnValue(true);
    expect(await main(args)).toBe(2);
    const lines = written.mock.calls.map(([text]) => String(text));
    written.mockRestore();
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^cannot [^\n]*<embedded\|bus-choice\|instrumentation\|receive\|index>[^\n]*\n$/,
    );
  },
);
