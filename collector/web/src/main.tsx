import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import "./styles/base.css";
import "./styles/header.css";
import "./styles/parts.css";
import "./styles/transactions.css";
import "./styles/transaction.css";
import "./styles/steps.css";
import "./styles/time-spent.css";
import "./styles/waterfall.css";
import "./styles/records.css";
import "./styles/services.css";

const root = document.getElementById("root");
if (root === null) throw new Error("cannot show the page: index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
