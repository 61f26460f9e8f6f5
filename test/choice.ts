/** All cases, or a sample that another day changes. */
export const full = process.env.CASES === 'full';

/** The same all day, so that a red run can be had again; another each day. */
export const seed = Number(process.env.CASES_SEED ?? Math.floor(Date.now() / 86_400_000));

/** In full all of them; otherwise `count`, by the seed of the day, which is printed. CASES_NAMED picks those whose name has it. */
export function chosen<Case extends { name: string }>(cases: readonly Case[], count: number): Case[] {
  const part = process.env.CASES_NAMED;
  if (part) return cases.filter(({ name }) => name.includes(part));
  if (full) return [...cases];
  console.log(`a sample of ${cases.length} cases by CASES_SEED=${seed}`);
  const random = pseudoRandom(seed);
  const left = [...cases];
  return Array.from(
    { length: Math.min(count, left.length) },
    () => left.splice(Math.floor(random() * left.length), 1)[0],
  ).filter((one) => one !== undefined);
}

/** From 0 to 1, the same for the same seed. @see Vigna, SplitMix */
function pseudoRandom(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x9e3779b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32;
  };
}
