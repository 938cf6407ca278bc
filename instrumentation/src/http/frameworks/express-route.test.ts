import { expect, test } from "vitest";
import { findExpressRoute, isVariable, noteMount } from "./express-route.ts";

/** A request as Express leaves it: the mounts it went through, then its route. */
interface Case {
  readonly mounts?: readonly (readonly [baseUrl: string, template: unknown])[];
  readonly baseUrl?: unknown;
  readonly path?: unknown;
  readonly want: string | undefined;
}

test.each<[string, Case]>([
  ["a route", { path: "/orders/:id", want: "/orders/:id" }],
  ["below a router", { baseUrl: "/api", path: "/orders/:id", want: "/api/orders/:id" }],
  ["a router's own root", { baseUrl: "/api", path: "/", want: "/api" }],
  ["a regular expression", { path: /^\/a(b)?$/, want: "/^\\/a(b)?$/" }],
  ["a list of paths", { path: ["/a", "/b/:id"], want: "/a,/b/:id" }],
  [
    "below a parameter",
    { mounts: [["/t/acme", "/t/:tenant"]], baseUrl: "/t/acme", path: "/x", want: "/t/:tenant/x" },
  ],
  [
    "below two parameters, with a fixed part between",
    {
      mounts: [
        ["/t/acme", "/t/:tenant"],
        ["/t/acme/api/c/7", "/c/:cart"],
      ],
      ...{ baseUrl: "/t/acme/api/c/7", path: "/x", want: "/t/:tenant/api/c/:cart/x" },
    },
  ],
  [
    "a mount that another path begins like",
    { mounts: [["/t/a", "/t/:tenant"]], baseUrl: "/t/acme", path: "/x", want: "/t/acme/x" },
  ],
  [
    "below a wildcard",
    { mounts: [["/f/a/b/c", "/f/*rest"]], baseUrl: "/f/a/b/c", path: "/x", want: "/f/*rest/x" },
  ],
  ["no route", { want: undefined }],
  ["a base that is no text", { baseUrl: 7, path: "/x", want: "/x" }],
])("the route of %s", (_, { mounts = [], baseUrl, path, want }) => {
  const request: Record<string, unknown> = path === undefined ? {} : { route: { path } };
  for (const [base, template] of mounts) {
    request.baseUrl = base;
    noteMount(request, template);
  }
  if (baseUrl !== undefined) request.baseUrl = baseUrl;
  expect(findExpressRoute(request)).toBe(want);
});

test.each([
  ["/api", false],
  ["/", false],
  ["/t/:tenant", true],
  ["/f/*rest", true],
  ["/a{/:b}", true],
  [/^\/a/, true],
  [["/a", "/b"], true],
])("whether %s varies: %s", (template, want) => {
  expect(isVariable(template)).toBe(want);
});
