// Folders that go with the runner. One that was killed leaves its own to the next.

import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const PREFIX = "isobar-node-";

/** A folder with these files. */
export function temporaryFolder(files = {}) {
  sweep();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${PREFIX}${process.pid}-`));
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), content);
  return folder;
}

export const removeFolder = (folder) => fs.rmSync(folder, { recursive: true, force: true });

/** Removes the folders of runners that are gone. */
function sweep() {
  for (const name of fs.readdirSync(os.tmpdir())) {
    const owner = name.startsWith(PREFIX) ? /^\d+/.exec(name.slice(PREFIX.length))?.[0] : undefined;
    if (owner !== undefined && !fs.existsSync(`/proc/${owner}`)) removeFolder(path.join(os.tmpdir(), name));
  }
}
