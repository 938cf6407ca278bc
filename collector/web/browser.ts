import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import packedChromium from "@sparticuz/chromium";
import { type BrowserContext, type Page, chromium as playwright } from "playwright-core";

export type BrowserPage = Page;

export interface BrowserOptions {
  readonly width: number;
  readonly height: number;
  readonly isDark: boolean;
}

/** Nothing of the browser's own may reach out of this machine, or wait for a person. */
const QUIET_ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const START_MS_MAX = 30_000;

/** A real Chromium, the one that comes as an npm package, with a fresh profile. */
export class Browser {
  readonly #context: BrowserContext;
  readonly #profileDir: string;

  private constructor(context: BrowserContext, profileDir: string) {
    this.#context = context;
    this.#profileDir = profileDir;
  }

  static async open({ width, height, isDark }: BrowserOptions): Promise<Browser> {
    const profileDir = await mkdtemp(join(tmpdir(), "clew-browser-"));
    const context = await playwright.launchPersistentContext(profileDir, {
      args: [...packedChromium.args, ...QUIET_ARGS],
      executablePath: await packedChromium.executablePath(),
      headless: true,
      timeout: START_MS_MAX,
      viewport: { width, height },
      colorScheme: isDark ? "dark" : "light",
    });
    return new Browser(context, profileDir);
  }

  newPage(): Promise<Page> {
    return this.#context.newPage();
  }

  async close(): Promise<void> {
    await this.#context.close();
    await rm(this.#profileDir, { recursive: true, force: true });
  }
}
