import type { Sight } from './1a-observe.ts';
import { type Limits, recentSlotMs, secondLookAfterMs, secondPressAfterMs } from './limits.ts';
import { type Category, RotationError } from './rotation-error.ts';

export type Decision = { why: string } & (
  | { kind: 'done' }
  /** Look again after `forMs`; where the invocation has no such time left, fail with `otherwise`. */
  | { kind: 'wait'; forMs: number; otherwise: RotationError }
  | { kind: 'adopt' }
  /** With a bridge token where the shown secret is accepted. */
  | { kind: 'press' }
  | { kind: 'fail'; error: RotationError }
  /** Fail, and take AWSPENDING off: this token can never succeed. */
  | { kind: 'give-up'; error: RotationError }
);

/** The table of what to do in createSecret, row by row. */
export function decide(sight: Sight, limits: Limits): Decision {
  if (sight.pending !== 'empty') {
    if (sight.pending === 'copy') return giveUp('a stored value cannot be changed', 'secret-store', ...copy);
    return {
      kind: 'done',
      why: sight.pending === 'moved' ? 'the version is AWSCURRENT' : 'the new client secret is stored',
    };
  }

  const { adoptOnly, shown, verdict, currentVerdict, steadyMs, slot, armedForThisRotation } = sight;
  const open = slot && !slot.settled && (slot.ofThisCurrent || slot.ageMs < secondPressAfterMs(limits));
  // A slot means that an earlier invocation was about to press, and whether it did cannot be known here.
  const error = (category: Category, what: string, action: string) =>
    new RotationError({ category, what, retryable: true, pressed: open ? 'unknown' : 'no', action });

  switch (verdict) {
    case 'unreachable':
      return {
        kind: 'fail',
        why: 'what cannot be verified is never pressed',
        error: error(
          'token-endpoint',
          'the token endpoint gave no verdict on the client secret that the portal shows',
          'none if the retry succeeds; otherwise look at the provider’s status page, and at token_endpoint in the rotated secret',
        ),
      };

    case 'accepted': {
      if (shown === 'other') {
        const forMs = secondLookAfterMs(limits) - steadyMs;
        if (forMs <= 0) return { kind: 'adopt', why: 'the portal shows another client secret, accepted at two looks' };
        const why = 'the portal shows another client secret; a second look tells it from a stale field';
        const otherwise = error(
          'timeout',
          'no time for the second look before adopting',
          'none: the retry has the time',
        );
        return { kind: 'wait', forMs, why, otherwise };
      }
      if (adoptOnly) return giveUp('an adopting rotation never presses', 'concurrency', ...nothingToAdopt);
      const forMs = slot && !slot.settled ? secondPressAfterMs(limits) - slot.ageMs : 0;
      if (slot && forMs > 0) {
        const what = `a press was armed ${slot.ageMs} ms ago and may still take effect`;
        const otherwise = error('concurrency', what, 'none: the retry looks again once it no longer can');
        return { kind: 'wait', forMs, why: 'an earlier press may still take effect', otherwise };
      }
      if (armedForThisRotation >= 2)
        return giveUp('two presses for one ClientRequestToken', 'portal-changed', ...pressesSpent);
      return { kind: 'press', why: 'the portal shows AWSCURRENT’s client secret and it is accepted' };
    }

    case 'rejected': {
      const forMs = limits.propagationMs - steadyMs;
      if (forMs > 0) {
        const why = 'a rejection may be a rotation on its way to the token endpoint';
        const otherwise = error(
          'timeout',
          'no time to wait out a rejected client secret',
          'none: the retry has the time',
        );
        return { kind: 'wait', forMs, why, otherwise };
      }
      if (shown === 'other') {
        const currentWorks = currentVerdict === 'accepted' || currentVerdict === 'unreachable';
        return {
          kind: 'fail',
          why: 'the portal shows a client secret that is rejected',
          error: error(
            'token-endpoint',
            `the token endpoint rejects the client secret that the portal shows; AWSCURRENT’s is ${currentVerdict}`,
            currentWorks
              ? 'none while AWSCURRENT works; if this repeats, ask the provider’s support'
              : 'a person is needed: log in, check that client id and client belong together, and ask the provider’s support',
          ),
        };
      }
      if (slot && slot.ageMs < recentSlotMs) {
        return {
          kind: 'fail',
          why: 'a slot younger than a day: the field may be stale',
          error: error(
            'token-endpoint',
            'the token endpoint rejects AWSCURRENT’s client secret, which the portal still shows after a press was armed within 24 hours',
            'log in and look: if the portal shows another client secret, run preflight, which has it adopted; if not, ask the provider’s support',
          ),
        };
      }
      if (adoptOnly) return giveUp('an adopting rotation never presses', 'concurrency', ...nothingToAdopt);
      if (armedForThisRotation >= 2)
        return giveUp('two presses for one ClientRequestToken', 'portal-changed', ...pressesSpent);
      return { kind: 'press', why: 'the client secret is rejected and no press is recent: rotating repairs it' };
    }
  }
}

/** What happened, and what to do next. */
type Words = readonly [what: string, action: string];

const copy: Words = [
  'AWSPENDING holds a copy of AWSCURRENT, or of the version before it, and can hold nothing else',
  'start a rotation; the service must begin it with an empty version, as Secrets Manager does',
];

const nothingToAdopt: Words = [
  'the portal shows AWSCURRENT’s client secret: there is nothing to adopt',
  'none: the drift is gone, and the next scheduled rotation goes its way',
];

const pressesSpent: Words = [
  'two presses were armed and the portal still shows the client secret of before',
  'press Rotate by hand once and see what the portal says; the next rotation adopts what it shows',
];

function giveUp(why: string, category: Category, what: string, action: string): Decision {
  const pressed = category === 'portal-changed' ? 'unknown' : 'no';
  return { kind: 'give-up', why, error: new RotationError({ category, what, retryable: false, pressed, action }) };
}
