import { readdirSync, readFileSync } from 'node:fs';

/** The process and all that descend from it, its browser's included: they are killed as the end of a Lambda environment would. */
export function killTree(pid: number): void {
  const parents = new Map<number, number>();
  for (const id of processIds()) {
    const stat = read(id, 'stat')
      .replace(/^.*\) /s, '')
      .split(' ');
    parents.set(id, Number(stat[1]));
  }
  const descends = (id: number | undefined): boolean => id === pid || (id !== undefined && descends(parents.get(id)));
  for (const id of [pid, ...parents.keys()]) if (descends(id)) kill(id);
}

/** Kills this process alone; what it has started goes on. */
export function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}

/** The processes that live with this temporary directory, dead ones that nobody has asked after left out. */
export function processesIn(directory: string): number[] {
  return processIds().filter(
    (id) =>
      id !== process.pid &&
      !/^State:\s+Z/m.test(read(id, 'status')) &&
      read(id, 'environ').split('\0').includes(`TMPDIR=${directory}`),
  );
}

function processIds(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Of a process that has gone: nothing. */
function read(id: number, file: string): string {
  try {
    return readFileSync(`/proc/${id}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
