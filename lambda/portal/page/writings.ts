/**
 * Where these values stand in a text, whatever their case, in groups and in pieces too: of an outline, each piece may have a line of
 * its own. Takes time in proportion to the text, whatever stands there. Runs in the page too.
 */
export function writingsIn(text: string, values: Iterable<string>): { from: number; to: number }[] {
  const lineStart = /\n\s{0,60}- [a-z]{1,14}(?::| ")/gi;
  const withoutRoles = text.replace(lineStart, (start) => '\n'.repeat(start.length));
  // The letters alone, with a break where more lies between them than between pieces of one value.
  let bare = '';
  const places: number[] = [];
  for (const { 0: token, index } of withoutRoles.matchAll(/[a-z0-9]+|[^a-z0-9]+/gi)) {
    const isGap = /^[^a-z0-9]/i.test(token);
    if (isGap && token.replaceAll('\n', '').length <= 8) continue;
    for (const [offset, letter] of [...(isGap ? '\n' : token)].entries()) {
      bare += letter.toLowerCase();
      places.push(index + offset);
    }
  }
  const found: { from: number; to: number }[] = [];
  const findAll = (within: string, what: string, place: (at: number) => number) => {
    for (let at = within.indexOf(what); at >= 0; at = within.indexOf(what, at + 1))
      found.push({ from: place(at), to: place(at + what.length - 1) + 1 });
  };
  for (const value of values) {
    const letters = value.toLowerCase().replace(/[^a-z0-9]/g, '');
    if (letters.length >= 4) findAll(bare, letters, (at) => places[at] ?? 0);
    else if (value.length >= 4) findAll(text.toLowerCase(), value.toLowerCase(), (at) => at);
  }
  return found;
}
