import cluster from "node:cluster";

/** A worker, as thread or in a cluster: it logs one line and lives as long as its primary. */
console.log(cluster.isWorker ? "a-line of a cluster worker" : "a-line of a thread");
process.on("disconnect", () => process.exit());
setInterval(() => 0, 1000);
