/** The times that a rotation keeps to; the portal profile has them, the simulated portal has shorter ones. */
export interface Limits {
  /** P: how long the token endpoint may take to learn of a rotation, both ways. @see seed, "Impact" */
  propagationMs: number;
  /** L: how long a request that was not answered may still take effect. */
  lateEffectMs: number;
  /** Added to P between the two looks before adopting. */
  secondLookMarginMs: number;
}

export const defaultLimits: Limits = { propagationMs: 30_000, lateEffectMs: 60_000, secondLookMarginMs: 10_000 };

/** D: a press follows its slot within this time, or not at all. */
export const slotToPressMs = 15_000;

/** How far our clock and the service's may be apart. */
const clockSkewMs = 15_000;

/** After a press the page is looked at as it stands for so long, before it is loaded anew. */
export const liveLooksMs = 5_000;

/** Left of an invocation after the changeover, for storing and for saying what happened. */
export const reserveMs = 20_000;

/** A slot this recent means that a rejected secret may be a stale field rather than a broken provider. */
export const recentSlotMs = 24 * 3_600_000;

/** W: the age from which a slot's press, if there was none to be seen, can no longer take effect. */
export function secondPressAfterMs(limits: Limits): number {
  return slotToPressMs + limits.lateEffectMs + limits.propagationMs + clockSkewMs;
}

/** Between the two looks before adopting. */
export function secondLookAfterMs(limits: Limits): number {
  return limits.propagationMs + limits.secondLookMarginMs;
}

/** How long the token endpoint may reject a new client secret before it counts as superseded. */
export function supersededAfterMs(limits: Limits): number {
  return 4 * limits.propagationMs;
}

/** What must be left of an invocation before a press: the dialog, the press, reading the new secret, storing it. */
export function changeoverMs(limits: Limits): number {
  return slotToPressMs + limits.lateEffectMs + limits.propagationMs + reserveMs;
}
