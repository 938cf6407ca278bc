import { MemoryOutbox } from "./memory-outbox.ts";
import { describeOutbox } from "./outbox.contract.ts";

describeOutbox("in memory", (options) => new MemoryOutbox(options));
