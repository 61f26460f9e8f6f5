import { test } from 'vitest';
import { combinations } from './combinations.ts';
import { pressesOnce } from './press-once.ts';

/** All pairs of traits; `PORTAL_MATRIX=triples` takes hours' worth of portals more. */
const strength = process.env.PORTAL_MATRIX === 'triples' ? 3 : 2;

/** Every other combination: two files, so that two workers share them. */
export async function pressesOnceIn(half: 1 | 2): Promise<void> {
  const all = await combinations(strength);
  const ours = all.filter((_, index) => index % 2 === half - 1);
  test.each(ours.map((traits) => [Object.values(traits).join(' '), traits] as const))(
    'pressed once: %s',
    async (_name, traits) => pressesOnce(traits),
  );
}
