import { type AnchorHTMLAttributes, type MouseEvent, useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

/** Where the page is: path and query, following links and the browser's own buttons. */
export function useAddress(): { readonly pathname: string; readonly search: string } {
  const pathname = useSyncExternalStore(subscribe, () => location.pathname);
  const search = useSyncExternalStore(subscribe, () => location.search);
  return { pathname, search };
}

/** Goes to an address of this page; `replace` for what is no step of its own, as a filter. */
export function navigate(address: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, "", address);
  else history.pushState(null, "", address);
  for (const listener of listeners) listener();
  if (!replace) scrollTo(0, 0);
}

/** Filters live in the address, so that a reload or a sent link shows the same. */
export function useFilters<Name extends string>(
  names: readonly Name[],
): [Readonly<Record<Name, string>>, (changes: Partial<Record<Name, string>>) => void] {
  const { pathname, search } = useAddress();
  const params = new URLSearchParams(search);
  const values = Object.fromEntries(names.map((name) => [name, params.get(name) ?? ""]));
  const change = (changes: Partial<Record<Name, string>>) => {
    const next = new URLSearchParams(location.search);
    for (const [name, value] of Object.entries<string | undefined>(changes)) {
      if (value === undefined || value === "") next.delete(name);
      else next.set(name, value);
    }
    const query = next.toString();
    navigate(query === "" ? pathname : `${pathname}?${query}`, { replace: true });
  };
  return [values as Record<Name, string>, change];
}

/** A link within the page; a click with a modifier opens a tab as everywhere. */
export function Link({
  href,
  ...rest
}: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  const follow = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
      return;
    event.preventDefault();
    navigate(href);
  };
  return <a {...rest} href={href} onClick={follow} />;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("popstate", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("popstate", listener);
  };
}
