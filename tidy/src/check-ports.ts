import { posix } from "node:path";
import type { Check, Finding, Project, SourceFile } from "./project.ts";
import { childList, findChild, importsOf, nameOf, walk } from "./syntax-tree.ts";

export interface Port {
  readonly path: string;
  /** Whoever implements one of these runs the contract. */
  readonly interfaces: readonly string[];
}

/** Rules 32 and 33: a port promises in prose and our own types; all implementations keep it. */
export function checkPorts(ports: readonly Port[]): Check {
  return {
    name: "ports and contracts",
    run(project) {
      const findings = ports.flatMap((port) => {
        const file = project.find(port.path);
        if (file === undefined) return [missing(port)];
        return [...checkPortFile(file), ...checkImplementations(project, { file, port })];
      });
      return { findings: [...findings, ...checkContracts(project, ports)], examined: ports.length };
    },
  };
}

function checkPortFile(file: SourceFile): readonly Finding[] {
  const findings: Finding[] = [];
  for (const { specifier, start } of importsOf(file.tree)) {
    if (/^\.{1,2}\//.test(specifier)) continue;
    const rule = `a port holds no type of ${specifier}`;
    const instead = "say it in a type of ours";
    findings.push({ path: file.path, line: file.lineAt(start), rule, instead });
  }
  for (const word of ["Promises", "Errors:"]) {
    if (file.text.includes(word)) continue;
    const rule = `a port says its ${word.replace(":", "").toLowerCase()} in prose`;
    findings.push({ path: file.path, line: 1, rule, instead: `add the paragraph "${word}"` });
  }
  return findings;
}

/** Each class that implements the port is imported by a test that imports the contract as well. */
function checkImplementations(
  project: Project,
  { file, port }: { file: SourceFile; port: Port },
): readonly Finding[] {
  const contract = contractPath(file.path);
  if (project.find(contract) === undefined) {
    return [
      { path: file.path, line: 1, rule: "a port has one contract", instead: `write ${contract}` },
    ];
  }
  const tests = project.tests.filter((test) => modulesOf(test).includes(contract));
  return implementationsOf(project, port).flatMap(({ path, line, name }) => {
    if (tests.some((test) => reaches(project, { from: test, to: path }))) return [];
    const rule = `${name} implements the port and does not run ${posix.basename(contract)}`;
    return [{ path, line, rule, instead: "run the contract in a test beside it" }];
  });
}

function checkContracts(project: Project, ports: readonly Port[]): readonly Finding[] {
  const known = new Set(ports.map((port) => contractPath(port.path)));
  return project.tests
    .filter((file) => file.path.endsWith(".contract.ts") && !known.has(file.path))
    .map(({ path }) => ({
      path,
      line: 1,
      rule: "a contract belongs to a port of the same name",
      instead: "add the port to tidy/src/ports.ts",
    }));
}

function implementationsOf(
  project: Project,
  { interfaces }: Port,
): readonly { path: string; line: number; name: string }[] {
  return project.source.flatMap((file) =>
    [...walk(file.tree.program)].flatMap(({ node }) => {
      const isOne =
        node.type.startsWith("Class") &&
        childList(node, "implements").some((item) =>
          interfaces.includes(nameOf(findChild(item, "expression"))),
        );
      if (!isOne) return [];
      const name = nameOf(findChild(node, "id"));
      return [{ path: file.path, line: file.lineAt(node.start), name }];
    }),
  );
}

/** Directly, or through one module in between (a function that opens the implementation). */
function reaches(project: Project, { from, to }: { from: SourceFile; to: string }): boolean {
  const first = modulesOf(from);
  if (first.includes(to)) return true;
  return first.some((path) => {
    const file = project.find(path);
    return file !== undefined && modulesOf(file).includes(to);
  });
}

function modulesOf(file: SourceFile): readonly string[] {
  return importsOf(file.tree)
    .filter(({ specifier }) => specifier.startsWith("."))
    .map(({ specifier }) => posix.join(file.folder, specifier));
}

function contractPath(portPath: string): string {
  return portPath.replace(/\.ts$/, ".contract.ts");
}

function missing(port: Port): Finding {
  const instead = "restore it, or remove it from tidy/src/ports.ts";
  return { path: port.path, line: 1, rule: "the port is not there", instead };
}
