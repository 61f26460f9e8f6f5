import { expect, it } from 'vitest';
import { guard } from '../../../lambda/rotation/0-guard.ts';
import type { SecretDescription } from '../../../lambda/rotation/ports.ts';
import type { Run } from '../../../lambda/rotation/run.ts';

const run = { token: 'the-token' } as Run;
const secret = (parts: Partial<SecretDescription>, labels: string[] = ['AWSPENDING']): SecretDescription => ({
  arn: 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:client-aaaaaa',
  name: 'client',
  rotationEnabled: true,
  deletedAt: undefined,
  labels: new Map([['the-token', labels]]),
  tags: new Map(),
  ...parts,
});

it('a version that is pending is rotated, and one that is AWSCURRENT is done', () => {
  expect(guard(run, secret({}))).toBe('pending');
  expect(guard(run, secret({}, ['AWSCURRENT', 'AWSPENDING']))).toBe('current');
  expect(guard(run, secret({ primaryRegion: 'eu-central-1' }))).toBe('pending');
});

it.each([
  ['a replica, which takes no values', { primaryRegion: 'us-east-1' }, /replica of the one in us-east-1/],
  ['a secret that is to be deleted', { deletedAt: new Date() }, /scheduled for deletion/],
  ['a secret whose rotation is paused', { rotationEnabled: false }, /not enabled/],
  ['a version that is not of the secret', { labels: new Map() }, /has no label/],
  ['a version that lost AWSPENDING', { labels: new Map([['the-token', ['OURS']]]) }, /does not have the label/],
])('%s is refused before anything is pressed', (_name, parts, words) => {
  expect(() => guard(run, secret(parts))).toThrow(words);
});
