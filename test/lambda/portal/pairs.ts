import { test } from 'vitest';
import { combinations } from './combinations.ts';
import { pressesOnce } from './press-once.ts';

/** All pairs of traits; `PORTAL_MATRIX=triples` takes hours' worth of portals more. */
const strength = process.env.PORTAL_MATRIX === 'triples' ? 3 : 2;

/** Every fourth combination: four files, so that the workers share them. */
export async function pressesOnceIn(quarter: 1 | 2 | 3 | 4): Promise<void> {
  const all = await combinations(strength);
  const ours = all.filter((_, index) => index % 4 === quarter - 1);
  test.each(ours.map((traits) => [Object.values(traits).join(' '), traits] as const))(
    'pressed once: %s',
    async (_name, traits) => pressesOnce(traits),
  );
}
