import { readConfig } from "./config.ts";
import { startInstrumentation } from "./instrumentation.ts";

/** `node --import @clew/instrumentation/register app.js`: everything, from the environment. */
startInstrumentation(readConfig());
