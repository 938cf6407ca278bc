import { expect } from "vitest";
import type { Page } from "../src/store/store.ts";

const PAGES_MAX = 1000;

/** Every item, page by page; none of the pages may be cut. */
export async function allPages<T>(read: (cursor?: string) => Promise<Page<T>>): Promise<T[]> {
  const items: T[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_MAX; page++) {
    const { items: more, cursor: next, isCut } = await read(cursor);
    expect(isCut).toBe(false);
    items.push(...more);
    if (next === null) return items;
    cursor = next;
  }
  throw new Error("cannot read all pages: there is no end to them");
}
