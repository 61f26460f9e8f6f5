import { rotatedDue, versionWith } from '../lambda/rotation/labels.ts';
import { type Described, unfinished } from './session.ts';
import { lasting } from './words.ts';

/** What a look at one of the three secrets gave: its value is understood, or why not. */
export interface SecretLook {
  arn: string;
  state: 'well-formed' | 'empty' | 'deleted' | 'unreadable' | 'malformed';
  /** AWSCURRENT's version. */
  versionId?: string;
  detail?: string;
}

/** What the token endpoint says of AWSPENDING's client secret; `empty`: has no value; `foreign`: has one without a client secret of this client; `copy`: has AWSCURRENT's. */
export type PendingVerdict = 'empty' | 'foreign' | 'copy' | 'accepted' | 'rejected' | 'unreachable';

/** All that a diagnosis goes by. */
export interface Sight {
  secret: Described;
  now: Date;
  current: SecretLook;
  /** Of the rotation that is not finished, if there is one. */
  pending?: { verdict: PendingVerdict; ageMs: number };
  /** Not known where AWSCURRENT cannot be understood. */
  login?: SecretLook;
  bridge?: SecretLook;
}

/** What mends a finding. None of them presses. */
export type Repair =
  | { do: 'restore'; secretId: string }
  | { do: 'release'; versionId: string; labels: string[] }
  | { do: 'take-up'; versionId: string }
  | { do: 'enable' }
  | { do: 'preflight' };

export interface Finding {
  name: string;
  /** What is wrong, and what comes of it. */
  says: string;
  /** What the repair does; where there is none, what a person does. */
  next: string;
  repair?: Repair;
}

/** Younger than this, an AWSPENDING belongs to a rotation that Secrets Manager is still trying. */
const runningMs = 3_600_000;

/** Whether a rotation is under way and should be left alone. One that was cancelled is not. */
export function isRunning({ secret, pending }: Sight): boolean {
  return pending !== undefined && secret.rotationEnabled && pending.ageMs < runningMs;
}

/**
 * Every stuck state that can be told without the portal, in the order in which they are mended. Pure.
 *
 * @param named what a person wants mended: an AWSPENDING even where its rotation may be under way
 */
export function diagnose(seen: Sight, named: readonly string[] = []): Finding[] {
  const { secret } = seen;
  const replica = ofReplica(secret);
  if (replica.length > 0) return replica;
  if (seen.current.state === 'deleted') return ofCurrent(seen);
  return [
    ...ofCurrent(seen),
    ...ofOther('login', seen.login),
    ...ofOther('bridge', seen.bridge),
    ...ofPending(seen).filter(({ name }) => !isRunning(seen) || named.includes(name)),
    ...ofLogin(seen),
    ...(isRunning(seen) ? [] : ofRotatedDue(secret)),
    ...ofPreflight(secret),
    // Last, since turning it on has Secrets Manager test the function, which looks like a rotation meanwhile.
    ...ofRotation(seen),
  ];
}

/** Nothing else is to be told of it: it has the labels of the one that it follows, and rotation is that one's. */
function ofReplica({ name, arn, primaryRegion }: Described): Finding[] {
  if (!primaryRegion || primaryRegion === arn.split(':')[3]) return [];
  return [
    {
      name: 'secret-replica',
      says: `${name} is a replica of the one in ${primaryRegion}; it cannot be rotated by itself.`,
      next: `run this for the one in ${primaryRegion}: its replicas follow`,
    },
  ];
}

function deleted(which: string, secretId: string): Finding {
  return {
    name: `${which}-deleted`,
    says: `${secretId} is scheduled for deletion; no rotation can use it.`,
    next: 'restores it',
    repair: { do: 'restore', secretId },
  };
}

function ofCurrent({ secret, current: { state, detail } }: Sight): Finding[] {
  switch (state) {
    case 'well-formed':
      return [];
    case 'deleted':
      return [deleted('secret', secret.arn)];
    case 'empty':
      return [
        {
          name: 'secret-empty',
          says: `${secret.name} has no value: there is nothing to rotate.`,
          next: 'init stores it',
        },
      ];
    case 'unreadable':
    case 'malformed':
      return [
        {
          name: `secret-${state}`,
          says: `${secret.name} is ${state} (${detail}).`,
          next:
            state === 'malformed'
              ? 'init --only client --yes mends it'
              : 'use credentials that may read it; without its value no more can be told',
        },
      ];
  }
}

function ofOther(which: 'login' | 'bridge', other: SecretLook | undefined): Finding[] {
  if (!other || other.state === 'well-formed') return [];
  const { arn, state, detail = '' } = other;
  // Empty is what the bridge secret is until the first press.
  if (state === 'empty' && which === 'bridge') return [];
  if (state === 'deleted') return [deleted(which, arn)];
  const because = detail ? ` (${detail})` : '';
  const next = {
    empty: 'init --only login stores it',
    unreadable: `see that it exists in this region, and that its policy and KMS key let you and the function read it; then preflight`,
    malformed:
      which === 'login'
        ? 'init --only login --yes stores it anew'
        : 'name an empty secret in bridge_secret_arn: init --only client --bridge-secret',
  };
  return [
    {
      name: `${which}-${state}`,
      says: `The ${which} secret ${arn} is ${state}${because}; a rotation fails before its press.`,
      next: next[state],
    },
  ];
}

/** What is wrong with AWSPENDING if its rotation is not under way. */
export function ofPending({ secret, pending }: Sight): Finding[] {
  const versionId = unfinished(secret);
  if (!versionId || !pending) return [];
  const labels = (secret.labels.get(versionId) ?? []).filter((label) => label === 'AWSPENDING' || label === rotatedDue);
  const release: Repair = { do: 'release', versionId, labels };
  const onIt = `AWSPENDING has been on version ${versionId} for ${lasting(pending.ageMs)} and blocks every rotation`;
  const nothingIsLost =
    'takes AWSPENDING off it; nothing is lost, since the portal shows the valid client secret and the next rotation, or adopt, stores it';
  if (secret.labels.get(versionId)?.includes('AWSPREVIOUS')) {
    return [
      {
        name: 'pending-on-previous',
        says: `${onIt}: it is AWSPREVIOUS, which no rotation is about.`,
        next: nothingIsLost,
        repair: release,
      },
    ];
  }
  const finding = (name: string, says: string): Finding => ({
    name,
    says: `${onIt}: ${says}.`,
    next: nothingIsLost,
    repair: release,
  });
  switch (pending.verdict) {
    case 'empty':
      return [finding('pending-empty', 'it has no value, so the rotation died before it could store one')];
    case 'foreign':
      return [finding('pending-foreign', 'its value is not of this client, so no rotation made it')];
    case 'copy':
      return [
        finding(
          'pending-copy',
          'it holds what AWSCURRENT holds, as a test of the rotation that was broken off leaves it',
        ),
      ];
    case 'rejected':
      return [
        finding('pending-rejected', 'the token endpoint rejects its client secret, which another has superseded'),
      ];
    case 'accepted': {
      const says = 'its client secret is valid, so the rotation only has to be ended';
      if (!secret.rotationEnabled) return [finding('pending-accepted', `${says}, but rotation is off`)];
      const next = 'has Secrets Manager take that rotation up again; it has its value, and does not press';
      return [{ name: 'pending-accepted', says: `${onIt}: ${says}.`, next, repair: { do: 'take-up', versionId } }];
    }
    case 'unreachable':
      return [
        {
          name: 'pending-unproven',
          says: `${onIt}: the token endpoint says nothing of its client secret.`,
          next: 'see the provider’s status page and token_endpoint, and run doctor again from where it can be reached',
        },
      ];
  }
}

function ofRotation({ secret, now, pending }: Sight): Finding[] {
  if (!secret.functionArn) {
    return [
      {
        name: 'rotation-not-configured',
        says: 'No function was ever set to rotate this secret.',
        next: 'deploy the stack',
      },
    ];
  }
  if (!secret.rotationEnabled) {
    const off = { name: 'rotation-disabled', says: 'Rotation is turned off: nothing rotates by itself.' };
    // The service would take the unfinished rotation up again, and it may press. @see aws/aws-cdk#28539
    if (pending) return [{ ...off, next: 'first have AWSPENDING taken off, as above; then run doctor again' }];
    const next = 'turns it on without rotating now; the schedule goes on';
    return [{ ...off, next, repair: { do: 'enable' } }];
  }
  if (!secret.nextRotationAt || secret.nextRotationAt >= now) return [];
  const says = `The rotation of ${secret.nextRotationAt.toISOString()} is overdue by ${lasting(now.getTime() - secret.nextRotationAt.getTime())}.`;
  return [{ name: 'rotation-overdue', says, next: 'preflight, then rotate' }];
}

function ofLogin({ secret, login }: Sight): Finding[] {
  const refused = secret.tags.get('login-refused');
  // With another version of the login secret the tag means nothing any more.
  if (!refused || refused !== login?.versionId) return [];
  return [
    {
      name: 'login-refused',
      says: `The portal has refused the stored login (version ${refused}); nobody tries it again, lest the account be locked.`,
      next: 'log in by hand, then store the login that works: init --only login --yes',
    },
  ];
}

function ofRotatedDue(secret: Described): Finding[] {
  const versionId = versionWith(secret, rotatedDue);
  const labels = versionId ? (secret.labels.get(versionId) ?? []) : [];
  if (!versionId || labels.includes('AWSPENDING')) return [];
  const left = `${rotatedDue} is left on version ${versionId}`;
  if (!labels.includes('AWSCURRENT') && !labels.includes('AWSPREVIOUS')) {
    const says = `${left}, which is not in use: there is nothing to tell.`;
    return [
      {
        name: 'rotated-due-left',
        says,
        next: 'takes it off',
        repair: { do: 'release', versionId, labels: [rotatedDue] },
      },
    ];
  }
  const says = `${left}: consumers have not been told that it was made AWSCURRENT.`;
  return [
    { name: 'rotated-due', says, next: 'runs preflight, which publishes rotated.v1', repair: { do: 'preflight' } },
  ];
}

function ofPreflight(secret: Described): Finding[] {
  const tag = secret.tags.get('preflight');
  if (!tag?.startsWith('failed')) return [];
  return [
    {
      name: 'preflight-failed',
      says: `The last preflight ended with ${tag}.`,
      next: 'runs preflight again, which mends what it can',
      repair: { do: 'preflight' },
    },
  ];
}
