import { describe, expect, it } from 'vitest';
import type { Sight, Slot } from '../../../lambda/rotation/1a-observe.ts';
import { type Decision, decide } from '../../../lambda/rotation/1b-decide.ts';
import { recentSlotMs, secondLookAfterMs, secondPressAfterMs } from '../../../lambda/rotation/limits.ts';

const limits = { propagationMs: 30_000, lateEffectMs: 60_000, secondLookMarginMs: 10_000 };
const P = limits.propagationMs;
const W = secondPressAfterMs(limits);
const twoLooks = secondLookAfterMs(limits);

type Look = Extract<Sight, { pending: 'empty' }>;

const look: Look = {
  pending: 'empty',
  adoptOnly: false,
  shown: 'current',
  verdict: 'accepted',
  currentVerdict: 'not asked',
  steadyMs: 0,
  slot: undefined,
  armedForThisRotation: 0,
};

const young = { ageMs: W - 1, ofThisCurrent: true, settled: false };
const old = { ...young, ageMs: W };
/** The rotation before this one, which succeeded a moment ago. */
const settled = { ageMs: 1, ofThisCurrent: false, settled: true };
/** Taken for a rotation that did not succeed, before a person stored another version by hand. */
const ofAnother = { ageMs: 1, ofThisCurrent: false, settled: false };

/** A decision in one word; a failure with what its retry and its label are to be. */
function outcome(decision: Decision): string {
  if (decision.kind !== 'fail' && decision.kind !== 'give-up') return decision.kind;
  const { retryable, category } = decision.error;
  return `${decision.kind}: ${category}, ${retryable ? 'retryable' : 'final'}`;
}

const table: [string, Sight, string][] = [
  ['a version that is AWSCURRENT already is done', { pending: 'moved' }, 'done'],
  ['a version that has its value already is done', { pending: 'stored' }, 'done'],
  [
    'a version that holds a copy of AWSCURRENT can hold nothing else',
    { pending: 'copy' },
    'give-up: secret-store, final',
  ],
  ['AWSCURRENT’s secret, accepted, no slot: press', look, 'press'],
  ['the slot of a rotation that succeeded stands in nobody’s way', { ...look, slot: settled }, 'press'],
  ['a young slot of another AWSCURRENT may still take effect: wait', { ...look, slot: ofAnother }, 'wait'],
  ['an old slot of another AWSCURRENT no longer can', { ...look, slot: { ...ofAnother, ageMs: W } }, 'press'],
  ['a slot older than W: a second press', { ...look, slot: old, armedForThisRotation: 1 }, 'press'],
  ['a slot younger than W: wait', { ...look, slot: young }, 'wait'],
  [
    'two presses under this token: no third',
    { ...look, slot: old, armedForThisRotation: 2 },
    'give-up: portal-changed, final',
  ],
  ['rejected, not yet for P: wait', { ...look, verdict: 'rejected', steadyMs: P - 1 }, 'wait'],
  ['rejected for P and no slot: the press repairs', { ...look, verdict: 'rejected', steadyMs: P }, 'press'],
  [
    'rejected for P, the last slot a day ago: the press repairs',
    { ...look, verdict: 'rejected', steadyMs: P, slot: { ...old, ageMs: recentSlotMs } },
    'press',
  ],
  [
    'rejected for P, one press under this token a day ago: a second',
    { ...look, verdict: 'rejected', steadyMs: P, slot: { ...old, ageMs: recentSlotMs }, armedForThisRotation: 1 },
    'press',
  ],
  [
    'rejected for P, two presses under this token a day ago: no third',
    { ...look, verdict: 'rejected', steadyMs: P, slot: { ...old, ageMs: recentSlotMs }, armedForThisRotation: 2 },
    'give-up: portal-changed, final',
  ],
  [
    'rejected for P, a slot within the day: the field may be stale',
    { ...look, verdict: 'rejected', steadyMs: P, slot: { ...old, ageMs: recentSlotMs - 1 } },
    'fail: token-endpoint, retryable',
  ],
  [
    'rejected for P, within the day a slot even of another AWSCURRENT: the field may be stale',
    { ...look, verdict: 'rejected', steadyMs: P, slot: settled },
    'fail: token-endpoint, retryable',
  ],
  ['another secret, accepted once: look again', { ...look, shown: 'other' }, 'wait'],
  [
    'another secret, accepted for less than P and the margin: look again',
    { ...look, shown: 'other', steadyMs: twoLooks - 1 },
    'wait',
  ],
  ['another secret, accepted at two looks: adopt', { ...look, shown: 'other', steadyMs: twoLooks }, 'adopt'],
  ['adopting takes no heed of a slot', { ...look, shown: 'other', steadyMs: twoLooks, slot: young }, 'adopt'],
  ['another secret, rejected, not yet for P: wait', { ...look, shown: 'other', verdict: 'rejected' }, 'wait'],
  [
    'another secret, rejected for P, AWSCURRENT works: fail without a press',
    { ...look, shown: 'other', verdict: 'rejected', steadyMs: P, currentVerdict: 'accepted' },
    'fail: token-endpoint, retryable',
  ],
  [
    'unreachable: never press what cannot be verified',
    { ...look, verdict: 'unreachable' },
    'fail: token-endpoint, retryable',
  ],
  [
    'another secret, rejected for P: fail without a press, whatever has been armed',
    { ...look, shown: 'other', verdict: 'rejected', steadyMs: P, armedForThisRotation: 2 },
    'fail: token-endpoint, retryable',
  ],
  [
    'unreachable, however long',
    { ...look, verdict: 'unreachable', steadyMs: 10 * P },
    'fail: token-endpoint, retryable',
  ],
  [
    'an adopting token finds another secret: adopt',
    { ...look, adoptOnly: true, shown: 'other', steadyMs: twoLooks },
    'adopt',
  ],
  [
    'an adopting token finds AWSCURRENT’s secret: nothing to adopt, no press',
    { ...look, adoptOnly: true },
    'give-up: concurrency, final',
  ],
  [
    'an adopting token never repairs by a press',
    { ...look, adoptOnly: true, verdict: 'rejected', steadyMs: P },
    'give-up: concurrency, final',
  ],
];

describe('the decision table', () => {
  it.each(table)('%s', (_name, sight, expected) => {
    expect(outcome(decide(sight, limits))).toBe(expected);
  });

  it('asks for a person only while AWSCURRENT is not accepted either', () => {
    const rejected: Look = { ...look, shown: 'other', verdict: 'rejected', steadyMs: P };
    const actionFor = (currentVerdict: Look['currentVerdict']) => {
      const decision = decide({ ...rejected, currentVerdict }, limits);
      return decision.kind === 'fail' ? decision.error.action : '';
    };
    expect(actionFor('rejected')).toContain('a person is needed');
    for (const works of ['accepted', 'unreachable'] as const)
      expect(actionFor(works)).not.toContain('a person is needed');
  });

  it.each<[string, Slot | undefined, string]>([
    ['no slot', undefined, 'no'],
    ['a slot of this AWSCURRENT', young, 'unknown'],
    ['one that is old', old, 'unknown'],
    ['that of a rotation that succeeded', settled, 'no'],
    ['a young slot of another AWSCURRENT', { ...ofAnother, ageMs: W - 1 }, 'unknown'],
    ['an old slot of another AWSCURRENT', { ...ofAnother, ageMs: W }, 'no'],
  ])('with %s, says what can be known of a press', (_name, slot, pressed) => {
    expect(decide({ ...look, verdict: 'unreachable', slot }, limits)).toMatchObject({
      kind: 'fail',
      error: { pressed },
    });
  });

  it.each<[string, Look, number, string]>([
    ['the second look', { ...look, shown: 'other', steadyMs: 1 }, twoLooks - 1, 'timeout'],
    ['a press that may still take effect', { ...look, slot: young }, 1, 'concurrency'],
    ['a rejection that may pass', { ...look, verdict: 'rejected', steadyMs: 1 }, P - 1, 'timeout'],
  ])('waits for %s as long as it takes, and leaves it to a retry otherwise', (_name, sight, forMs, category) => {
    expect(decide(sight, limits)).toMatchObject({ kind: 'wait', forMs, otherwise: { category, retryable: true } });
  });

  it('says that a press is unknown where two were armed, and only there of what it gives up', () => {
    const pressedOf = (sight: Sight) => {
      const decision = decide(sight, limits);
      return decision.kind === 'give-up' && decision.error.pressed;
    };
    expect(pressedOf({ ...look, slot: old, armedForThisRotation: 2 })).toBe('unknown');
    expect(pressedOf({ ...look, adoptOnly: true })).toBe('no');
    expect(pressedOf({ pending: 'copy' })).toBe('no');
  });
});

describe('of all sights', () => {
  const slots = [
    undefined,
    young,
    old,
    settled,
    ofAnother,
    { ...old, ageMs: recentSlotMs },
    { ...settled, ageMs: recentSlotMs },
  ];
  const all: Look[] = [];
  for (const adoptOnly of [false, true])
    for (const shown of ['current', 'other'] as const)
      for (const verdict of ['accepted', 'rejected', 'unreachable'] as const)
        for (const currentVerdict of ['not asked', 'accepted', 'rejected', 'unreachable'] as const)
          for (const steadyMs of [0, P - 1, P, twoLooks - 1, twoLooks])
            for (const slot of slots)
              for (const armedForThisRotation of [0, 1, 2])
                all.push({
                  pending: 'empty',
                  adoptOnly,
                  shown,
                  verdict,
                  currentVerdict,
                  steadyMs,
                  slot,
                  armedForThisRotation,
                });
  const decided = all.map((sight) => ({ sight, decision: decide(sight, limits) }));
  const pressing = decided.filter(({ decision }) => decision.kind === 'press').map(({ sight }) => sight);
  const adopting = decided.filter(({ decision }) => decision.kind === 'adopt').map(({ sight }) => sight);

  it('only AWSCURRENT’s own secret, with a verdict on it, is pressed away', () => {
    expect(pressing.length).toBeGreaterThan(0);
    expect(pressing.filter(({ shown, verdict }) => shown !== 'current' || verdict === 'unreachable')).toEqual([]);
  });

  it('an adopting rotation never presses', () => {
    expect(pressing.filter(({ adoptOnly }) => adoptOnly)).toEqual([]);
  });

  it('no press of an accepted secret follows a slot within W, unless its rotation has succeeded', () => {
    expect(
      pressing.filter(({ slot, verdict }) => verdict === 'accepted' && slot && !slot.settled && slot.ageMs < W),
    ).toEqual([]);
  });

  it('no third press under one token', () => {
    expect(pressing.filter(({ armedForThisRotation }) => armedForThisRotation >= 2)).toEqual([]);
  });

  it('a rejected secret is pressed away only after P, and with no slot within a day', () => {
    const rejected = pressing.filter(({ verdict }) => verdict === 'rejected');
    expect(rejected.length).toBeGreaterThan(0);
    expect(rejected.filter(({ steadyMs, slot }) => steadyMs < P || (slot && slot.ageMs < recentSlotMs))).toEqual([]);
  });

  it('only an accepted secret, seen at two looks, is adopted', () => {
    expect(adopting.length).toBeGreaterThan(0);
    expect(
      adopting.filter(
        ({ shown, verdict, steadyMs }) => shown !== 'other' || verdict !== 'accepted' || steadyMs < twoLooks,
      ),
    ).toEqual([]);
  });

  it('every wait ends, and every failure before a press says what to do', () => {
    for (const { decision } of decided) {
      if (decision.kind === 'wait') expect(decision.forMs).toBeGreaterThan(0);
      if (decision.kind === 'fail' || decision.kind === 'give-up') expect(decision.error.action).not.toBe('');
    }
  });
});
