/** What every page must keep to, whatever it shows: names, contrast, width. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { buildPage } from "../../stack/build.ts";
import { Browser, type BrowserPage } from "../web/browser.ts";
import { CollectorProcess } from "./page-harness.ts";
import { sendOrder, sendSaga } from "./page-samples.ts";

const BUILD_MS_MAX = 120_000;
const ORDER = "looks-1";
const CONTRAST_MIN = 4.5;
const NAMED = "button, a, input, select, h1, h2, caption, nav, th";
const SAGA = "looks-saga-1";
const PATHS = [
  ...["/", `/transactions/${ORDER}`, `/transactions/${SAGA}`, "/logs", "/services", "/nowhere"],
] as const;

/** The parts of the page's own elements that are used here; this side has no DOM. */
interface ShownElement {
  readonly id: string;
  readonly outerHTML: string;
  readonly textContent: string | null;
  readonly scrollWidth: number;
  readonly parentElement: ShownElement | null;
  readonly childNodes: Iterable<{ readonly nodeType: number; readonly textContent: string | null }>;
  readonly labels?: ArrayLike<ShownElement> | null;
  readonly ownerDocument: {
    readonly activeElement: ShownElement | null;
    readonly defaultView: {
      getComputedStyle(
        element: ShownElement,
        part?: string,
      ): {
        readonly color: string;
        readonly backgroundColor: string;
        readonly outlineStyle: string;
      };
    };
  };
  getAttribute(name: string): string | null;
  getBoundingClientRect(): { readonly width: number; readonly height: number };
  querySelectorAll(selector: string): Iterable<ShownElement>;
}

let collector: CollectorProcess;

beforeAll(async () => {
  await buildPage(AbortSignal.timeout(BUILD_MS_MAX));
  collector = await CollectorProcess.start();
  await sendOrder(collector, ORDER);
  await sendSaga(collector, SAGA);
}, BUILD_MS_MAX);

afterAll(() => collector?.stop());

test("every control, heading and table has a name that can be read out", async () => {
  await onEachPage({ width: 1280, height: 800, isDark: false }, async (page, path) => {
    const nameless = await page.locator(NAMED).evaluateAll((all: ShownElement[]) =>
      all
        .filter((element) => {
          const label = element.getAttribute("aria-label") || element.labels?.[0]?.textContent;
          return !(label || element.textContent?.trim());
        })
        .map((element) => element.outerHTML),
    );
    expect([path, nameless]).toEqual([path, []]);
    expect(await page.locator("h1, h2").count()).toBeGreaterThan(0);
    expect(await page.locator("main").count()).toBe(1);
    expect(await page.locator("html").getAttribute("lang")).toBe("en");
    const ids = await page
      .locator("[id]")
      .evaluateAll((all) => all.map((element: ShownElement) => element.id));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

test.each([
  ["light", false],
  ["dark", true],
])("all text has a contrast of 4.5 or more, %s", async (_name, isDark) => {
  await onEachPage({ width: 1280, height: 800, isDark }, async (page, path) => {
    const texts = await page.locator("body").evaluate(measureContrasts);
    expect(texts.length).toBeGreaterThan(5);
    const weak = texts.filter(({ contrast }) => contrast < CONTRAST_MIN);
    expect([path, weak]).toEqual([path, []]);
  });
});

test("a page on a telephone is no wider than the telephone", async () => {
  await onEachPage({ width: 390, height: 844, isDark: false }, async (page, path) => {
    const widthPx = await page.locator("html").evaluate((html: ShownElement) => html.scrollWidth);
    expect([path, widthPx]).toEqual([path, 390]);
  });
});

test("the focus is seen on every control that Tab reaches", async () => {
  await onEachPage({ width: 1280, height: 800, isDark: false }, async (page, path) => {
    for (let i = 0; i < 12; i++) {
      await page.keyboard.press("Tab");
      const unseen = await page.locator("body").evaluate((body: ShownElement) => {
        const { activeElement: focused, defaultView } = body.ownerDocument;
        if (focused === null || focused === body) return "";
        const outlines = [undefined, "::after"].map(
          (part) => defaultView.getComputedStyle(focused, part).outlineStyle,
        );
        return outlines.every((style) => style === "none") ? focused.outerHTML : "";
      });
      expect([path, unseen]).toEqual([path, ""]);
    }
  });
});

async function onEachPage(
  look: { readonly width: number; readonly height: number; readonly isDark: boolean },
  check: (page: BrowserPage, path: string) => Promise<void>,
): Promise<void> {
  const browser = await Browser.open(look);
  try {
    const page = await browser.newPage();
    for (const path of PATHS) {
      await page.goto(collector.pageUrl + path);
      await page.locator(".record, .transactions, .services-table, .notice").first().waitFor();
      for (const line of (await page.locator(".record-line").all()).slice(0, 1)) await line.click();
      await check(page, path);
    }
  } finally {
    await browser.close();
  }
}

/** Runs in the page: WCAG 2.2 §1.4.3 for every element that has text of its own. */
function measureContrasts(
  body: ShownElement,
): { text: string; contrast: number; colours: string }[] {
  const { defaultView } = body.ownerDocument;
  const textNodeType = 3;
  const numbers = (colour: string) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const groundOf = (element: ShownElement): number[] => {
    for (let at: ShownElement | null = element; at !== null; at = at.parentElement) {
      const ground = numbers(defaultView.getComputedStyle(at).backgroundColor);
      if ((ground[3] ?? 1) === 1) return ground;
    }
    return [255, 255, 255];
  };
  const luminance = (colour: number[]) => {
    const [r = 0, g = 0, b = 0] = colour.map((part) => {
      const share = part / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  return [...body.querySelectorAll("*")].flatMap((element) => {
    const text = [...element.childNodes]
      .filter((node) => node.nodeType === textNodeType)
      .map((node) => node.textContent?.trim() ?? "")
      .join("");
    const box = element.getBoundingClientRect();
    if (text === "" || box.width < 2 || box.height < 2) return [];
    const style = defaultView.getComputedStyle(element);
    const ground = groundOf(element);
    const [a, b] = [luminance(numbers(style.color)), luminance(ground)];
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    return [{ text, contrast, colours: `${style.color} on ${ground}` }];
  });
}
