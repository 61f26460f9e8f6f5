import { describe, expect, it } from 'vitest';
import { diagnose, isRunning, type Sight } from '../../ops/diagnosis.ts';
import { progressOf } from '../../ops/rotate.ts';
import type { Described } from '../../ops/session.ts';
import { inWords } from '../../ops/status.ts';

const now = new Date('2026-06-01T12:00:00Z');
const hourMs = 3_600_000;

function sight(secret: Partial<Described> = {}, seen: Partial<Sight> = {}): Sight {
  const well = { arn: 'arn:rotated', state: 'well-formed', versionId: 'v1' } as const;
  return {
    now,
    current: well,
    login: { ...well, arn: 'arn:login', versionId: 'l1' },
    bridge: { ...well, arn: 'arn:bridge' },
    ...seen,
    secret: {
      arn: 'arn:rotated',
      name: 'app',
      deletedAt: undefined,
      rotationEnabled: true,
      functionArn: 'arn:function',
      intervalDays: 30,
      lastRotatedAt: undefined,
      nextRotationAt: new Date(now.getTime() + hourMs),
      tags: new Map([['preflight', 'ok']]),
      labels: new Map([['v1', ['AWSCURRENT']]]),
      ...secret,
    },
  };
}

const pendingOn = (...labels: string[]) =>
  new Map([
    ['v1', ['AWSCURRENT']],
    ['v2', ['AWSPENDING', ...labels]],
  ]);
const pending = (verdict: NonNullable<Sight['pending']>['verdict'], ageMs = 2 * hourMs) => ({
  pending: { verdict, ageMs },
});
const tags = (given: Record<string, string>) => ({ tags: new Map(Object.entries({ preflight: 'ok', ...given })) });
const other = (state: 'empty' | 'deleted' | 'unreadable' | 'malformed') => ({ arn: 'arn:other', state });
const release = (...labels: string[]) => ({ do: 'release', versionId: 'v2', labels });

const states: [state: string, Sight, name: string | undefined, repair: unknown][] = [
  ['nothing wrong', sight(), undefined, undefined],
  [
    'an AWSPENDING without a value',
    sight({ labels: pendingOn() }, pending('empty')),
    'pending-empty',
    release('AWSPENDING'),
  ],
  [
    'an AWSPENDING that is rejected, with its outbox label',
    sight({ labels: pendingOn('ROTATED_DUE') }, pending('rejected')),
    'pending-rejected',
    release('AWSPENDING', 'ROTATED_DUE'),
  ],
  [
    'an AWSPENDING of another client',
    sight({ labels: pendingOn() }, pending('foreign')),
    'pending-foreign',
    release('AWSPENDING'),
  ],
  [
    'an AWSPENDING that is a copy of AWSCURRENT',
    sight({ labels: pendingOn() }, pending('copy')),
    'pending-copy',
    release('AWSPENDING'),
  ],
  [
    'an AWSPENDING on AWSPREVIOUS, which even if accepted is of no rotation',
    sight({ labels: pendingOn('AWSPREVIOUS') }, pending('accepted')),
    'pending-on-previous',
    release('AWSPENDING'),
  ],
  [
    'an AWSPENDING that is accepted',
    sight({ labels: pendingOn() }, pending('accepted')),
    'pending-accepted',
    { do: 'take-up', versionId: 'v2' },
  ],
  [
    'an AWSPENDING that cannot be verified is left',
    sight({ labels: pendingOn() }, pending('unreachable')),
    'pending-unproven',
    undefined,
  ],
  [
    'an AWSPENDING of a rotation that runs is left',
    sight({ labels: pendingOn('ROTATED_DUE') }, pending('empty', hourMs / 2)),
    undefined,
    undefined,
  ],
  [
    'an AWSPENDING left on AWSCURRENT does no harm',
    sight({ labels: new Map([['v1', ['AWSCURRENT', 'AWSPENDING']]]) }),
    undefined,
    undefined,
  ],
  [
    'consumers not told',
    sight({ labels: new Map([['v1', ['AWSCURRENT', 'ROTATED_DUE']]]) }),
    'rotated-due',
    { do: 'preflight' },
  ],
  [
    'an outbox label on a version that is not in use',
    sight({
      labels: new Map([
        ['v1', ['AWSCURRENT']],
        ['v2', ['ROTATED_DUE']],
      ]),
    }),
    'rotated-due-left',
    release('ROTATED_DUE'),
  ],
  ['a refused login', sight(tags({ 'login-refused': 'l1' })), 'login-refused', undefined],
  ['a refused login that was replaced', sight(tags({ 'login-refused': 'l0' })), undefined, undefined],
  ['a failed preflight', sight(tags({ preflight: 'failed:portal-changed' })), 'preflight-failed', { do: 'preflight' }],
  ['rotation disabled', sight({ rotationEnabled: false }), 'rotation-disabled', { do: 'enable' }],
  [
    'rotation never configured',
    sight({ rotationEnabled: false, functionArn: undefined }),
    'rotation-not-configured',
    undefined,
  ],
  [
    'a rotation that did not come',
    sight({ nextRotationAt: new Date(now.getTime() - hourMs) }),
    'rotation-overdue',
    undefined,
  ],
  [
    'the secret scheduled for deletion, which is all that is told',
    sight({ deletedAt: now, rotationEnabled: false }, { current: other('deleted') }),
    'secret-deleted',
    { do: 'restore', secretId: 'arn:rotated' },
  ],
  [
    'the login secret scheduled for deletion',
    sight({}, { login: other('deleted') }),
    'login-deleted',
    { do: 'restore', secretId: 'arn:other' },
  ],
  [
    'a replica, which is all that is told',
    sight({ arn: 'arn:aws:secretsmanager:eu-west-1:1:secret:app', primaryRegion: 'us-east-1', functionArn: undefined }),
    'secret-replica',
    undefined,
  ],
  [
    'a secret that has replicas',
    sight({ arn: 'arn:aws:secretsmanager:us-east-1:1:secret:app', primaryRegion: 'us-east-1' }),
    undefined,
    undefined,
  ],
  ['the login secret empty', sight({}, { login: other('empty') }), 'login-empty', undefined],
  ['the bridge secret empty, as before the first press', sight({}, { bridge: other('empty') }), undefined, undefined],
  ['the bridge secret unreadable', sight({}, { bridge: other('unreadable') }), 'bridge-unreadable', undefined],
  ['the bridge secret not ours', sight({}, { bridge: other('malformed') }), 'bridge-malformed', undefined],
  ['the rotated secret empty', sight({}, { current: other('empty') }), 'secret-empty', undefined],
  ['the rotated secret malformed', sight({}, { current: other('malformed') }), 'secret-malformed', undefined],
];

describe('doctor recognises', () => {
  it.each(states)('%s', (_state, seen, name, repair) => {
    const findings = diagnose(seen);
    expect(findings.map((finding) => finding.name)).toEqual(name ? [name] : []);
    expect(findings[0]?.repair).toEqual(repair);
    for (const { says, next } of findings) expect(says.length * next.length).toBeGreaterThan(0);
  });

  it('several at once, the one that blocks the others first', () => {
    const both = sight(
      { rotationEnabled: false, labels: pendingOn(), ...tags({ preflight: 'failed:login' }) },
      pending('accepted'),
    );
    // What is taken up again would need rotation to be on, and turning it on needs AWSPENDING to be off.
    expect(diagnose(both).map(({ name, repair }) => [name, repair?.do])).toEqual([
      ['pending-accepted', 'release'],
      ['preflight-failed', 'preflight'],
      // Only once nothing is left that it would have taken up again.
      ['rotation-disabled', undefined],
    ]);
    expect(isRunning(both)).toBe(false);
  });

  it('a rotation that is under way, where it was cancelled or a person names it', () => {
    const running = { labels: pendingOn() };
    const young = pending('empty', hourMs / 2);
    expect(diagnose(sight(running, young), ['pending-empty']).map(({ name }) => name)).toEqual(['pending-empty']);
    const cancelled = diagnose(sight({ ...running, rotationEnabled: false }, young));
    expect(cancelled.map(({ name }) => name)).toEqual(['pending-empty', 'rotation-disabled']);
  });
});

describe('a rotation is followed by its labels:', () => {
  it.each([
    ['started', ['AWSPENDING'], false],
    ['stored', ['AWSPENDING', 'ROTATED_DUE'], false],
    ['moved', ['AWSCURRENT', 'AWSPENDING', 'ROTATED_DUE'], false],
    ['moved', ['AWSCURRENT', 'AWSPENDING'], false],
    ['finished', ['AWSCURRENT', 'AWSPENDING'], true],
    ['finished', ['AWSCURRENT'], false],
    ['moved', ['AWSCURRENT', 'ROTATED_DUE'], true],
    ['finished', ['AWSPREVIOUS'], false],
    ['given-up', [], false],
  ] as const)('%s where they are %j and a success since then is %s', (progress, labels, rotatedSince) => {
    expect(progressOf(labels, rotatedSince)).toBe(progress);
  });
});

describe('status says first', () => {
  it.each<[says: RegExp, secret: Partial<Described>]>([
    [/^All is well\.$/, {}],
    [/no preflight was ever run\. Next: preflight/, { tags: new Map() }],
    [/scheduled for deletion.*doctor/, { deletedAt: now }],
    [/no value yet\. Next: init/, { labels: new Map() }],
    [/The rotation v2 is not finished/, { labels: pendingOn(), ...tags({ preflight: 'failed:login' }) }],
    [/refused the login/, { labels: pendingOn(), ...tags({ 'login-refused': 'l1', preflight: 'failed:login' }) }],
    [/preflight failed/, tags({ 'login-refused': 'one that was replaced', preflight: 'failed:login' })],
    [/Consumers have not been told/, { labels: new Map([['v1', ['AWSCURRENT', 'ROTATED_DUE']]]) }],
    [/preflight failed \(failed:portal-changed\)/, tags({ preflight: 'failed:portal-changed' })],
    [/Rotation is off/, { rotationEnabled: false }],
    [/overdue/, { nextRotationAt: new Date(now.getTime() - 1) }],
  ])('%s', (says, secret) => {
    expect(inWords(sight(secret).secret, 'l1', now)).toMatch(says);
  });
});
