/**
 * A page in which each part that is made (between `<!-- made: NAME -->` and `<!-- end -->`) is made anew.
 *
 * @throws {Error} where the page names a part that nobody makes, or leaves out one that is made
 */
export function filled(page: string, parts: Record<string, string>): string {
  const left = new Set(Object.keys(parts));
  const text = page.replace(/(<!-- made: (.+?) -->\n).*?(<!-- end -->)/gs, (_all, begin, name, end) => {
    const part = parts[name];
    if (part === undefined) throw new Error(`the page names ${name}, which nobody makes`);
    left.delete(name);
    return `${begin}\n${part.trim()}\n\n${end}`;
  });
  if (left.size > 0) throw new Error(`the page has no place for ${[...left].join(', ')}`);
  return text;
}

export const fenced = (language: string, text: string) => `\`\`\`${language}\n${text.trim()}\n\`\`\``;

export const table = (rows: readonly (readonly string[])[]) =>
  rows
    .toSpliced(1, 0, rows[0]?.map(() => '---') ?? [])
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');

/** JSON as Biome formats it: a list of texts on a line where it fits. */
export function json(value: unknown): string {
  const text = JSON.stringify(value, null, 2);
  const inLine = text.replace(/^( *)(.*)\[\n\s+("[^[\]{}]*")\n\s+\]/gm, (broken, indent, key, items: string) => {
    const line = `${indent}${key}[${items.replace(/,\n\s+/g, ', ')}]`;
    return line.length < 120 ? line : broken;
  });
  return `${inLine}\n`;
}
