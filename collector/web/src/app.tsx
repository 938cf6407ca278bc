import { Component, type ReactNode } from "react";
import { TokenDialog } from "./api/token-dialog.tsx";
import { Header } from "./header.tsx";
import { LogsPage } from "./logs/logs-page.tsx";
import { Notice } from "./parts/notice.tsx";
import { Link, useAddress } from "./routing/navigation.tsx";
import { parseRoute, type Route } from "./routing/route.ts";
import { ServicesPage } from "./services/services-page.tsx";
import { TransactionPage } from "./transaction/transaction-page.tsx";
import { TransactionsPage } from "./transactions/transactions-page.tsx";

/** The whole page: header, and below it what the address asks for. */
export function App() {
  const { pathname } = useAddress();
  const route = parseRoute(pathname);
  return (
    <>
      <a className="skip" href="#content">
        Skip to content
      </a>
      <Header route={route} />
      <main id="content" tabIndex={-1}>
        <FaultBoundary key={pathname}>
          <Page route={route} />
        </FaultBoundary>
      </main>
      <TokenDialog />
    </>
  );
}

function Page({ route }: { readonly route: Route }) {
  switch (route.page) {
    case "transactions":
      return <TransactionsPage />;
    case "transaction":
      return <TransactionPage key={route.transactionId} transactionId={route.transactionId} />;
    case "logs":
      return <LogsPage />;
    case "services":
      return <ServicesPage />;
    case "unknown":
      return (
        <Notice title="There is no such page">
          <p>
            Paste a transaction ID above, or see <Link href="/">recent transactions</Link>.
          </p>
        </Notice>
      );
  }
}

/** A fault of the page itself must not leave a blank screen in the middle of an incident. */
class FaultBoundary extends Component<{ children: ReactNode }, { fault: string | null }> {
  override state = { fault: null };

  static getDerivedStateFromError(thrown: unknown): { fault: string } {
    return { fault: thrown instanceof Error ? thrown.message : String(thrown) };
  }

  override render(): ReactNode {
    if (this.state.fault === null) return this.props.children;
    return (
      <Notice title="This page has a fault" tone="error">
        <p>{this.state.fault}</p>
        <p>
          The records are safe. Reload, or read them on a terminal: <code>npx clew find ID</code>
        </p>
        <button type="button" onClick={() => location.reload()}>
          Reload
        </button>
      </Notice>
    );
  }
}
