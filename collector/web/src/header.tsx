import { FindBox } from "./find/find-box.tsx";
import { Link } from "./routing/navigation.tsx";
import type { Route } from "./routing/route.ts";

const PAGES = [
  { href: "/", text: "Transactions", pages: ["transactions", "transaction"] },
  { href: "/logs", text: "Logs", pages: ["logs"] },
  { href: "/services", text: "Services", pages: ["services"] },
] as const satisfies readonly { href: string; text: string; pages: readonly Route["page"][] }[];

/** On every page: where else to go, and the box that finds a transaction. */
export function Header({ route }: { readonly route: Route }) {
  return (
    <header className="header">
      <Link href="/" className="brand" aria-label="Clew, to recent transactions">
        <Mark />
        <span>Clew</span>
      </Link>
      <FindBox />
      <nav aria-label="Pages">
        {PAGES.map(({ href, text, pages }) => {
          const isCurrent = pages.some((page) => page === route.page);
          return (
            <Link key={href} href={href} aria-current={isCurrent ? "page" : undefined}>
              {text}
            </Link>
          );
        })}
      </nav>
    </header>
  );
}

/** A ball of thread. */
function Mark() {
  return (
    <svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">
      <circle cx="11" cy="11" r="8" />
      <path d="M4.500 14.500C8 8 13 5.500 18.500 8.500M3.500 9C8.500 12 14 12.500 17.500 15.500" />
      <path d="M9 19C9 14 12 7 15 4M17 17.500C19 19.500 20.500 20.500 22 20.500" />
    </svg>
  );
}
