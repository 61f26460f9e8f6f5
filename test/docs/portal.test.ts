import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { defaultPortalProfile, parsePortalProfile, portalProfileSchema } from '../../lambda/portal/profile.ts';

const read = (path: string) => readFileSync(path, 'utf8');
const page = read('docs/portal.md');
const sources = (folder: string) =>
  readdirSync(folder)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => read(`${folder}/${name}`))
    .join('\n');
const driver = sources('lambda/portal');
const all = [driver, sources('lambda/rotation')].join('\n');

/** The rows of the tables in the section with this heading, without their heads. */
function rowsOf(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const lines = section.split('\n## ')[0]?.split('\n') ?? [];
  const rows = lines.filter(
    (line, at) => line.startsWith('| ') && !/^\| ?-/.test(lines[at + 1] ?? '') && !/^\| ?-/.test(line),
  );
  return rows.map((row) =>
    row
      .split('|')
      .map((cell) => cell.trim())
      .slice(1, -1),
  );
}

/** What a message always says, between what differs each time. */
const fixedParts = (message: string, differs: RegExp) =>
  message
    .split(differs)
    .map((part) => part.replaceAll("\\'", "'").replace(/^[\s:;("]+|[\s:;("]+$/g, ''))
    .filter((part) => part.length >= 10);

/** The literals that the driver throws with. */
function thrownParts(source: string): string[] {
  const throwing =
    /(?:(?:refusal|trouble)\(\s*'[a-z-]+',|(?:loginRefused|unanswered|invalid|#break|CertainlyNotPressed)\()/;
  const thrown = new RegExp(`${throwing.source}\\s*(\`[^\`]*\`|'(?:[^'\\\\]|\\\\.)*')`, 'g');
  return [...source.matchAll(thrown)].flatMap(([, literal = '']) =>
    fixedParts(literal.slice(1, -1), /\$\{[^}]*(?:\}|$)/),
  );
}

/** What a schema's values may have, as paths. */
function keysOf(schema: z.core.JSONSchema._JSONSchema, path = ''): string[] {
  if (typeof schema === 'boolean') return [];
  const { properties, items } = schema;
  if (properties)
    return Object.entries(properties).flatMap(([key, value]) => keysOf(value, path === '' ? key : `${path}.${key}`));
  const item = Array.isArray(items) ? undefined : items;
  return typeof item === 'object' && item.properties ? keysOf(item, `${path}[]`) : [path];
}

test('every refusal of the portal driver has its row', () => {
  const messages = rowsOf('Refusals and troubles')
    .map(([message = '']) => message)
    .join('\n');
  const thrown = thrownParts(driver);
  expect(thrown.length).toBeGreaterThan(50);
  expect(thrown.filter((part) => !messages.includes(part))).toEqual([]);
});

test('a refusal without a row would be noticed', () => {
  const source = `refusal(\n  'login',\n  \`the portal wants $\{count} songs and a dance\`,`;
  expect(thrownParts(source)).toEqual(['the portal wants', 'songs and a dance']);
});

test('every row of a refusal is one that the code has', () => {
  const rows = rowsOf('Refusals and troubles').flatMap(([message = '']) =>
    fixedParts(message, /…|; it was not pressed$|^after the press |^at the login /),
  );
  expect(rows.length).toBeGreaterThan(50);
  expect(rows.filter((part) => !all.includes(part))).toEqual([]);
});

test('the keys on the page are those of the portal profile', () => {
  const documented = rowsOf("The profile's keys").map(([key = '']) => key.replaceAll('`', ''));
  const known = keysOf(z.toJSONSchema(portalProfileSchema, { io: 'input' }));
  expect(known).toContain('interstitials[].says');
  expect(documented.toSorted()).toEqual(known.toSorted());
});

test('the defaults on the page are those of the portal profile', () => {
  expect(JSON.parse(read('docs/snippets/portal-profile-default.json'))).toEqual(defaultPortalProfile);
  const times = rowsOf("The profile's keys").flatMap(([key = '', ms]) => {
    const name = /^`times\.(\w+)`$/.exec(key)?.[1];
    return name === undefined ? [] : [[name, Number(ms)]];
  });
  expect(Object.fromEntries(times)).toEqual(defaultPortalProfile.times);
});

test('the example on the page is the file, and fits into a standard parameter', () => {
  const [, example = ''] = /```json\n(.*?)\n```/s.exec(page) ?? [];
  const file = read('docs/snippets/portal-profile-de.json');
  expect(`${example}\n`).toBe(file);
  expect(parsePortalProfile(file).labels.rotate).toEqual(['Erneuern']);
  expect(Buffer.byteLength(file)).toBeLessThan(4_096);
});
