import { guard } from './0-guard.ts';
import { clientSecretIn } from './client-secret.ts';
import { rotatedDue, versionWith } from './labels.ts';
import type { AccessToken, DeveloperTools, Ports, SecretDescription, Verdict } from './ports.ts';
import type { Run } from './run.ts';
import { credentialsOf, type RotatedVersion, readCurrent, readSlots } from './secrets.ts';

/** What the decision depends on: finitely many cases, times apart. */
export type Sight =
  /** The rotation has ended; its new secret is stored; or one of before is, so that it can never hold another. Nothing else was looked at. */
  | { pending: 'moved' | 'stored' | 'copy' }
  | {
      pending: 'empty';
      /** The ClientRequestToken begins with `adopt-`. */
      adoptOnly: boolean;
      /** What the portal shows: AWSCURRENT's client secret, or another; another too where AWSCURRENT has none yet. */
      shown: 'current' | 'other';
      /** The token endpoint's word on the shown secret. */
      verdict: Verdict['verdict'];
      /** Its word on AWSCURRENT's, asked where the shown secret is another and is rejected. */
      currentVerdict: Verdict['verdict'] | 'not asked';
      /** For how long all of this has been seen unchanged, at looks with a reload between them. */
      steadyMs: number;
      /** The latest slot in the bridge secret, with its age before the look at the portal. */
      slot: Slot | undefined;
      /** Of the two latest slots, those of this ClientRequestToken: each may have led to a press. */
      armedForThisRotation: number;
    };

export interface Slot {
  ageMs: number;
  ofThisCurrent: boolean;
  /** The rotation that it was taken for has become AWSCURRENT, so that its press is over. */
  settled: boolean;
}

/** What was found, for acting on the decision. */
export interface Found {
  description: SecretDescription;
  current: RotatedVersion;
  tools: DeveloperTools;
  shownSecret: string;
  /** The token that the endpoint gave for the shown secret. */
  token: AccessToken | undefined;
  /** The number of the next slot of this AWSCURRENT. */
  nextAttempt: number;
}

/** One look; what was the same since when tells it from the next. */
export type Observation =
  | { sight: Extract<Sight, { pending: 'empty' }>; found: Found; steady: { key: string; sinceMs: number } }
  | { sight: Exclude<Sight, { pending: 'empty' }>; found: undefined; steady: undefined };

/**
 * Reads the three places that hold the truth, and changes nothing: versions and labels, what the portal shows, the token
 * endpoint's word on it.
 *
 * @param open opens Developer Tools at the first look, and gives the same at later ones
 * @param before the look before this one
 */
export async function observe(
  run: Run,
  ports: Ports,
  open: (description: SecretDescription, current: RotatedVersion) => Promise<DeveloperTools>,
  before: Observation | undefined,
): Promise<Observation> {
  const { secrets, tokens, clock } = ports;
  const description = await secrets.describe(run.secretId);
  if (guard(run, description) === 'current') return nothingElse('moved');
  const current = await readCurrent(run, ports, description);
  const { version, secret } = current;
  const stored = await secrets.read(run.secretId, { versionId: run.token });
  if (stored) {
    const known = [secret.client_secret];
    // Secrets Manager's own copy, for a test of the configuration, outlives a move of AWSCURRENT. What we store, adopted or not, is due.
    if (!description.labels.get(run.token)?.includes(rotatedDue)) {
      const previous = await secrets.read(run.secretId, { label: 'AWSPREVIOUS' });
      known.push(previous && clientSecretIn(previous.value));
    }
    const clientSecret = clientSecretIn(stored.value);
    return nothingElse(clientSecret !== undefined && known.includes(clientSecret) ? 'copy' : 'stored');
  }

  const { latest, armedForThisRotation } = await readSlots(run, ports, secret.bridge_secret_arn);
  const ofThisCurrent = latest?.slot.armed_from === version.versionId;
  const slot = latest && {
    ageMs: clock.now().getTime() - latest.createdAt.getTime(),
    ofThisCurrent,
    settled: latest.slot.armed_for === version.versionId,
  };

  const tools = await open(description, current);
  const shownSecret = await tools.look(run.signal);
  ports.learnSecret(shownSecret);
  const ask = (clientSecret: string) => tokens.mint(credentialsOf(secret, clientSecret), run.signal);
  const answer = await ask(shownSecret);
  const token = answer.verdict === 'accepted' ? answer.token : undefined;
  if (token) ports.learnSecret(token.accessToken);
  const shown = shownSecret === secret.client_secret ? 'current' : 'other';
  const askedToo = shown === 'other' && answer.verdict === 'rejected' ? secret.client_secret : undefined;
  const currentVerdict = askedToo === undefined ? 'not asked' : (await ask(askedToo)).verdict;

  const nowMs = clock.monotonicMs();
  // Nothing promises the order in which the service lists versions and labels.
  const labels = [...description.labels].map(([id, names]) => `${id} ${[...names].sort()}`).sort();
  const key = JSON.stringify([shownSecret, answer.verdict, labels]);
  const steady = before?.steady?.key === key ? before.steady : { key, sinceMs: nowMs };
  return {
    sight: {
      pending: 'empty',
      adoptOnly: run.token.startsWith('adopt-'),
      shown,
      verdict: answer.verdict,
      currentVerdict,
      steadyMs: nowMs - steady.sinceMs,
      slot,
      armedForThisRotation,
    },
    found: {
      description,
      current,
      tools,
      shownSecret,
      token,
      nextAttempt: ofThisCurrent ? latest.slot.attempt + 1 : 1,
    },
    steady,
  };
}

/** What has moved since the look, in words. @throws {RotationError} where the rotation is not this version's any more */
export async function movedSince(run: Run, ports: Ports, { current }: Found): Promise<string | undefined> {
  const description = await ports.secrets.describe(run.secretId);
  if (guard(run, description) !== 'pending') return 'the version became AWSCURRENT';
  return versionWith(description, 'AWSCURRENT') === current.version.versionId ? undefined : 'AWSCURRENT moved';
}

function nothingElse(pending: 'moved' | 'stored' | 'copy'): Observation {
  return { sight: { pending }, found: undefined, steady: undefined };
}
