import { readdirSync, readFileSync } from 'node:fs';

/** The Chromium processes that this process has started: of one type, or the browser itself. */
export function chromiumProcesses(type: string | undefined): number[] {
  const parents = new Map<number, number>();
  const commands = new Map<number, string>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      parents.set(Number(name), Number(stat[1]));
      commands.set(Number(name), readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' '));
    } catch {
      // It has gone.
    }
  }
  const isOurs = (id: number): boolean => id === process.pid || (parents.has(id) && isOurs(parents.get(id) as number));
  const isType = (command: string) => (type ? command.includes(`--type=${type}`) : !command.includes('--type='));
  return [...commands]
    .filter(([id, command]) => isOurs(id) && /\/chromium /.test(command) && isType(command))
    .map(([id]) => id);
}
