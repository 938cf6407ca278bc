/** The files of the checkout as the checks see them. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseSyntax, type SyntaxTree } from "./syntax-tree.ts";

export interface Finding {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
  /** What to do, in the imperative. */
  readonly instead: string;
}

export interface CheckResult {
  readonly findings: readonly Finding[];
  /** Files, names or rows that were examined: a scan that looked at nothing proves nothing. */
  readonly examined: number;
}

export interface Check {
  readonly name: string;
  run(project: Project): CheckResult;
}

export class SourceFile {
  readonly path: string;
  readonly text: string;
  #tree: SyntaxTree | undefined;

  constructor(path: string, text: string) {
    this.path = path;
    this.text = text;
  }

  get folder(): string {
    return this.path.slice(0, Math.max(this.path.lastIndexOf("/"), 0));
  }

  get fileName(): string {
    return this.path.slice(this.path.lastIndexOf("/") + 1);
  }

  /** The file's name without its extensions: `bus.contract.ts` is `bus`. */
  get baseName(): string {
    return this.fileName.replace(/\.(?:test|contract|d|config)?\.?[a-z]+$/, "");
  }

  get lines(): readonly string[] {
    return this.text.replace(/\n$/, "").split("\n");
  }

  get isTypeScript(): boolean {
    return /\.tsx?$/.test(this.path);
  }

  get isCode(): boolean {
    return this.isTypeScript || /\.[cm]?js$/.test(this.path);
  }

  /** `x.test.ts`, a contract, or a file that only end-to-end tests use. */
  get isTest(): boolean {
    return /\.(?:test|contract)\.tsx?$/.test(this.path) || /(?:^|\/)test\//.test(this.path);
  }

  get isToolConfig(): boolean {
    return /\.config\.[cm]?[jt]s$/.test(this.path);
  }

  /** @throws Error naming the file where its syntax is wrong. */
  get tree(): SyntaxTree {
    this.#tree ??= parseSyntax(this.path, this.text);
    return this.#tree;
  }

  /** The line, from 1, in which the character at `offset` stands. */
  lineAt(offset: number): number {
    let line = 1;
    for (let at = this.text.indexOf("\n"); at !== -1 && at < offset; line++) {
      at = this.text.indexOf("\n", at + 1);
    }
    return line;
  }
}

export class Project {
  readonly files: readonly SourceFile[];

  constructor(files: readonly SourceFile[]) {
    this.files = files;
  }

  find(path: string): SourceFile | undefined {
    return this.files.find((file) => file.path === path);
  }

  get code(): readonly SourceFile[] {
    return this.files.filter((file) => file.isCode);
  }

  /** Code that is neither a test nor a tool's configuration. */
  get source(): readonly SourceFile[] {
    return this.code.filter((file) => !file.isTest && !file.isToolConfig);
  }

  get tests(): readonly SourceFile[] {
    return this.code.filter((file) => file.isTest);
  }
}

const TEXT_FILE = /\.(?:[cm]?js|tsx?|json|md|css|html|ya?ml|xml|properties)$|(?:^|\/)\.ci\/run$/;

/** Every file that git knows of or would add, except deleted ones and those that are not text. */
export function readProject(root: string): Project {
  const answer = execFileSync(
    "git",
    ["ls-files", "-z", "--cached", "--others", "--exclude-standard"],
    { cwd: root, encoding: "utf8" },
  );
  const paths = [...new Set(answer.split("\0"))].filter((path) => TEXT_FILE.test(path));
  const files = paths.flatMap((path) => {
    const text = findText(join(root, path));
    return text === undefined ? [] : [new SourceFile(path, text)];
  });
  return new Project(files);
}

/** A project out of texts, for samples. */
export function projectOf(texts: Readonly<Record<string, string>>): Project {
  return new Project(Object.entries(texts).map(([path, text]) => new SourceFile(path, text)));
}

/** One line for a person: where, what, and what to do. */
export function formatFinding({ path, line, rule, instead }: Finding): string {
  return `${path}:${line}: ${rule}; ${instead}`;
}

/** A file that git lists may have been deleted in the working tree. */
function findText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw error;
  }
}
