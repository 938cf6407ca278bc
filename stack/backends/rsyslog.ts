import { join } from "node:path";
import { readBackendsConfig } from "../config.ts";
import { debianPackages, libraryFolders } from "./debian-packages.ts";
import { DebianServer } from "./debian-server.ts";
import { freePorts } from "./free-ports.ts";

/** The folder with rsyslog and its Elasticsearch output, fetched once. */
export function rsyslogFolder(cacheDir: string): Promise<string> {
  return debianPackages({ names: ["rsyslog", "rsyslog-elasticsearch"], cacheDir });
}

/**
 * Debian's rsyslog, which takes lines over TCP and does with them what `rules` say: actions and
 * templates in its own language, `global(…)` and modules too.
 */
export async function startRsyslog(rules: string): Promise<DebianServer> {
  const root = await rsyslogFolder(readBackendsConfig().cacheDir);
  const libraries = await libraryFolders(root);
  const [inputPort = 0] = await freePorts(1);
  return DebianServer.start({
    name: "rsyslog",
    inputPort,
    libraryFolders: libraries,
    // Its modules lie in a folder of the same name beside the libraries.
    command: (folder, configFile) => [
      join(root, "usr/sbin/rsyslogd"),
      ...["-n", "-f", configFile, "-i", join(folder, "pid")],
      ...["-M", libraries.map((library) => join(library, "rsyslog")).join(":")],
    ],
    config: (folder) =>
      [
        `global(workDirectory="${folder}" maxMessageSize="64k")`,
        'module(load="imtcp")',
        `input(type="imtcp" port="${inputPort}" address="127.0.0.1")`,
        rules,
        "",
      ].join("\n"),
  });
}
