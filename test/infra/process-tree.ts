import { readdirSync, readFileSync } from 'node:fs';

/** A process and all that descend from it. @see proc_pid_stat(5) */
export function processTree(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8').replace(/^.*\) /s, '');
      const parent = Number(stat.split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It has gone.
    }
  }
  const tree = (id: number): number[] => [id, ...(children.get(id) ?? []).flatMap(tree)];
  return tree(root);
}
