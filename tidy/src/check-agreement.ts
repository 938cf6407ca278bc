import type { Check, Finding, Project, SourceFile } from "./project.ts";

/** One thing that code and a page of the docs both name. */
export interface Named {
  readonly name: string;
  readonly path: string;
  readonly line: number;
  /** Further cells of its row, as the status of an error. */
  readonly cells?: readonly string[];
}

export interface Agreement {
  /** `error codes`, `routes`… */
  readonly subject: string;
  readonly page: string;
  /** A row of the page belongs to this subject when its first cell holds a name of this form. */
  readonly form: RegExp;
  readonly namesInCode: (project: Project) => readonly Named[];
}

/** Rule 25: what the code has and what its page lists are the same, both ways. */
export function checkAgreement({ subject, page, form, namesInCode }: Agreement): Check {
  return {
    name: `docs and code: ${subject}`,
    run(project) {
      const inCode = namesInCode(project);
      const file = project.find(page);
      const rows = file === undefined ? [] : namesInTables(file, form);
      const documented = new Set(rows.map((row) => row.name));
      const real = new Set(inCode.map((item) => item.name));
      const findings: Finding[] = [];
      for (const { name, path, line } of inCode) {
        if (documented.has(name)) continue;
        const rule = `${name} is not in ${page}`;
        findings.push({ path, line, rule, instead: `add its row to the table of ${page}` });
      }
      for (const { name, path, line } of rows) {
        if (real.has(name)) continue;
        const rule = `no code has ${name}`;
        findings.push({ path, line, rule, instead: "remove the row, or build what it promises" });
      }
      findings.push(...wrongCells(inCode, rows), ...doubleRows(rows));
      return {
        findings,
        examined: Math.min(rows.length, real.size),
      };
    },
  };
}

/** The code spans in the first cell of each row: `| \`NAME\` | … |`. */
export function namesInTables(file: SourceFile, form: RegExp): readonly Named[] {
  return file.lines.flatMap((text, index) => {
    const cell = /^\|([^|]*)\|/.exec(text)?.[1] ?? "";
    return [...cell.matchAll(/`([^`]+)`/g)]
      .map((match) => match[1] ?? "")
      .filter((name) => form.test(name))
      .map((name) => ({ name, path: file.path, line: index + 1, cells: cellsOf(text) }));
  });
}

function cellsOf(row: string): readonly string[] {
  return row.split("|").map((cell) => cell.trim());
}

/** A row that names the right thing and says something else of it than the code. */
function wrongCells(inCode: readonly Named[], rows: readonly Named[]): readonly Finding[] {
  return inCode.flatMap(({ name, cells: wanted = [] }) =>
    rows
      .filter((row) => row.name === name)
      .flatMap(({ path, line, cells = [] }) => {
        const lacking = wanted.filter((cell) => !cells.includes(cell));
        if (lacking.length === 0) return [];
        const rule = `the row of ${name} does not say ${lacking.join(", ")}, as the code does`;
        return [{ path, line, rule, instead: "correct the row, or the code" }];
      }),
  );
}

function doubleRows(rows: readonly Named[]): readonly Finding[] {
  return rows
    .filter((row, index) => rows.findIndex((other) => other.name === row.name) < index)
    .map(({ name, path, line }) => ({
      path,
      line,
      rule: `${name} has two rows`,
      instead: "keep the better one",
    }));
}
