/** Every page: where its links lead, and that the scripts and files of which it speaks are there. */
import { existsSync, globSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { deadLinks } from './commands.ts';

const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };

describe.each(globSync(['*.md', 'docs/*.md', 'consumer/*.md']).toSorted())('%s', (path) => {
  const page = readFileSync(path, 'utf8');
  const named = (pattern: RegExp) => [...page.matchAll(pattern)].map(([, name = '']) => name);

  it('has no dead links', () => {
    expect(deadLinks(path)).toEqual([]);
  });

  it('names only scripts and files that there are', () => {
    expect(named(/\bnpm run (?:-s )?([\w:-]+)/g).filter((name) => !(name in scripts))).toEqual([]);
    const files = named(/`((?:bench|consumer|docs|infra|lambda|local|ops|test)\/[\w./-]*)`/g);
    expect(files.filter((file) => !existsSync(file))).toEqual([]);
  });

  it('names no path of a machine', () => {
    expect(named(/(?<![\w.])(\/(?:home|root|Users|work|tmp\/[a-z])[\w./-]*)/g)).toEqual([]);
  });
});

it('the program of the README is one that the consumer’s tests compile', () => {
  const [, program = ''] = /```ts\n(.*?)\n```/s.exec(readFileSync('README.md', 'utf8')) ?? [];
  const compiled = readFileSync('consumer/README.md', 'utf8').split('\n');
  expect(program).not.toBe('');
  expect(program.split('\n').filter((line) => !compiled.includes(line))).toEqual([]);
});
