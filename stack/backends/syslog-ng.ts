import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { readBackendsConfig } from "../config.ts";
import { debianPackages, libraryFolders } from "./debian-packages.ts";
import { DebianServer } from "./debian-server.ts";
import { freePorts } from "./free-ports.ts";

/** The folder with syslog-ng, its http destination and its library of configurations. */
export function syslogNgFolder(cacheDir: string): Promise<string> {
  const names = ["syslog-ng-core", "syslog-ng-mod-http", "syslog-ng-scl"] as const;
  return debianPackages({ names, cacheDir });
}

/**
 * Debian's syslog-ng, which takes lines over TCP (RFC 5424 and 3164) in its source `s_in`, and does
 * with them what `rules` say: destinations, and `log` statements from that source.
 */
export async function startSyslogNg(rules: string): Promise<DebianServer> {
  const root = await syslogNgFolder(readBackendsConfig().cacheDir);
  const home = join(root, "usr/lib/syslog-ng");
  const [version = ""] = (await readdir(home)).filter((name) => /^\d+\.\d+$/.test(name));
  const include = join(root, "usr/share/syslog-ng/include");
  const [inputPort = 0] = await freePorts(1);
  return DebianServer.start({
    name: "syslog-ng",
    inputPort,
    libraryFolders: [home, ...(await libraryFolders(root))],
    command: (folder, configFile) => [
      join(root, "usr/sbin/syslog-ng"),
      ...["--foreground", "--no-caps", "--cfgfile", configFile],
      ...["--module-path", join(home, version), "--pidfile", join(folder, "pid")],
      ...["--persist-file", join(folder, "persist"), "--control", join(folder, "control")],
    ],
    config: () =>
      [
        `@version: ${version}`,
        `@define include-path "${include}"`,
        "@module appmodel",
        `@include "${include}/scl/*/*.conf"`,
        "source s_in {",
        `  network(ip("127.0.0.1") port(${inputPort}) log-msg-size(65536) flags(syslog-protocol));`,
        "};",
        rules,
        "",
      ].join("\n"),
  });
}
