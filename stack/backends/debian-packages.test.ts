import { access, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readBackendsConfig } from "../config.ts";
import { debianPackages, libraryFolders } from "./debian-packages.ts";
import { requireDebian } from "./debian-server.ts";
import { rsyslogFolder } from "./rsyslog.ts";

const FETCH_MS = 300_000;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "clew-debian-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe.skipIf(!requireDebian("Debian's packages"))("Debian's packages", () => {
  test(
    "lie unpacked in one folder, with what they need, however many ask",
    async () => {
      const ask = () => rsyslogFolder(readBackendsConfig().cacheDir);
      const [first, second] = await Promise.all([ask(), ask()]);
      expect(second).toBe(first);
      await access(join(first, "usr/sbin/rsyslogd"));
      const libraries = await libraryFolders(first);
      const files = await Promise.all(libraries.map((library) => readdir(library)));
      expect(files.flat()).toEqual(expect.arrayContaining(["libestr.so.0", "rsyslog"]));
      expect(await readdir(first)).not.toContain("fetching");
    },
    FETCH_MS,
  );

  test(
    "what the archive has not is told, and leaves nothing",
    async () => {
      const asked = debianPackages({ names: ["clew-has-no-such-package"], cacheDir: folder });
      await expect(asked).rejects.toThrow(/cannot run apt-get: .*clew-has-no-such-package/s);
      expect(await readdir(folder)).toEqual([]);
    },
    FETCH_MS,
  );
});

test("only folders of this machine's kind hold shared libraries", async () => {
  for (const path of ["lib/systemd", "lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu"]) {
    await mkdir(join(folder, path), { recursive: true });
  }
  const want = ["lib/x86_64-linux-gnu", "usr/lib/aarch64-linux-gnu"];
  expect(await libraryFolders(folder)).toEqual(want.map((path) => join(folder, path)));
});
