import { existsSync } from 'node:fs';

/**
 * Chromium's NSS needs SQLite for certificates; it comes with Amazon Linux and nearly every system, and not with the Chromium package.
 * Without it Chromium dies at the first https page.
 */
export const hasSqlite = ['/usr/lib/x86_64-linux-gnu', '/usr/lib64', '/lib64', '/usr/lib', '/lib'].some((directory) =>
  existsSync(`${directory}/libsqlite3.so.0`),
);
