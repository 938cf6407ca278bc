import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readBackendsConfig } from "../config.ts";
import { debianPackages, libraryFolders } from "./debian-packages.ts";
import { runProgram } from "./run-program.ts";

const DEADLINE_MS = 30_000;

/** Debian's logrotate, which rotates when it is told to. */
export class Logrotate {
  readonly #program: string;
  readonly #libraries: string;
  readonly #folder: string;

  private constructor(parts: { root: string; libraries: string; folder: string }) {
    this.#program = join(parts.root, "usr/sbin/logrotate");
    this.#libraries = parts.libraries;
    this.#folder = parts.folder;
  }

  /** @param rules logrotate's own configuration, as `/var/log/app.log { create }`, line by line */
  static async fetch(folder: string, rules: readonly string[]): Promise<Logrotate> {
    const root = await debianPackages({
      names: ["logrotate"],
      cacheDir: readBackendsConfig().cacheDir,
    });
    const libraries = (await libraryFolders(root)).join(":");
    const rotating = new Logrotate({ root, libraries, folder });
    // Rules that others may write to are refused.
    await writeFile(rotating.#rules, `${rules.join("\n")}\n`, { mode: 0o600 });
    return rotating;
  }

  /** @throws StackError BACKEND_UNAVAILABLE with what logrotate said. */
  async rotate(): Promise<void> {
    await runProgram({
      program: "env",
      args: [
        `LD_LIBRARY_PATH=${this.#libraries}`,
        this.#program,
        ...["--force", "--state", join(this.#folder, "logrotate.state"), this.#rules],
      ],
      deadlineMs: DEADLINE_MS,
    });
  }

  get #rules(): string {
    return join(this.#folder, "logrotate.conf");
  }
}
