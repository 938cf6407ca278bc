/**
 * A picture of a page: `node collector/web/screenshot.ts <url> <file.png> [--dark] [--width N]
 * [--height N] [--wait <css selector>]`.
 */
import { parseArgs } from "node:util";
import { Browser } from "./browser.ts";

const WAIT_MS_MAX = 15_000;

export interface Screenshot {
  readonly url: string;
  readonly file: string;
  readonly width: number;
  readonly height: number;
  readonly isDark: boolean;
  /** Present once the page shows what the picture is for. */
  readonly waitFor: string;
}

export async function takeScreenshot(shot: Screenshot): Promise<void> {
  const browser = await Browser.open(shot);
  try {
    const page = await browser.newPage();
    await page.goto(shot.url, { timeout: WAIT_MS_MAX });
    await page.locator(shot.waitFor).first().waitFor({ timeout: WAIT_MS_MAX });
    await page.screenshot({ path: shot.file, animations: "disabled" });
  } finally {
    await browser.close();
  }
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      dark: { type: "boolean", default: false },
      width: { type: "string", default: "1280" },
      height: { type: "string", default: "800" },
      wait: { type: "string", default: ".record, .transactions, .services-table, .notice" },
    },
  });
  const [url, file] = positionals;
  const width = Number(values.width);
  const height = Number(values.height);
  if (url === undefined || file === undefined || !(width > 0) || !(height > 0)) {
    process.stderr.write(
      "usage: screenshot.ts <url> <file.png> [--dark] [--width N] [--height N] [--wait selector]\n",
    );
    process.exit(2);
  }
  await takeScreenshot({ url, file, width, height, isDark: values.dark, waitFor: values.wait });
}
