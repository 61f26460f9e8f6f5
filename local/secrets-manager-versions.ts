import { randomInt } from 'node:crypto';

/**
 * A secret's versions and staging labels: the part of Secrets Manager's documented behaviour that is plain data.
 * Comments name the API reference's operations and the user guide's pages ("UG/page").
 */

/** A value as it travels; `SecretBinary` stays base64. */
export type SecretValue = { SecretString: string } | { SecretBinary: string };

export type Version = {
  readonly id: string;
  readonly createdAt: Date;
  readonly stages: Set<string>;
  value?: SecretValue;
  /** Made by RotateSecret, and given its value, if any, by the rotation function. */
  ofRotation: boolean;
};

export type Rotation = {
  enabled: boolean;
  readonly lambdaArn: string;
  readonly rules?: Record<string, unknown> | undefined;
  intervalMs?: number | undefined;
  lastRotatedAt?: Date;
  nextRotationAt?: Date | undefined;
};

export type Secret = {
  readonly arn: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly versions: Map<string, Version>;
  readonly tags: Map<string, string>;
  changedAt: Date;
  deletionAt?: Date | undefined;
  rotation?: Rotation;
};

/** A refusal in the service's own terms: HTTP 400 with `type` as `__type`. Its message never holds a secret's value. */
export class ServiceError extends Error {
  readonly type: string;
  constructor(type: string, message: string) {
    super(message);
    this.type = type;
  }
}

export const invalidParameter = (message: string) => new ServiceError('InvalidParameterException', message);
export const invalidRequest = (message: string) => new ServiceError('InvalidRequestException', message);
export const resourceExists = (message: string) => new ServiceError('ResourceExistsException', message);
export const notFound = (what: string) =>
  new ServiceError('ResourceNotFoundException', `Secrets Manager can't find the specified ${what}`);

/** Limits of a secret. @see Secrets Manager UG/reference_limits */
const MAX_LABELS = 20;
const MAX_VERSIONS = 100;
const PRUNED_AFTER_MS = 24 * 60 * 60 * 1000;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';

/** An ARN as CreateSecret gives it: the name, a hyphen and six random characters. */
export function secretArn(region: string, name: string): string {
  const suffix = Array.from({ length: 6 }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
  return `arn:aws:secretsmanager:${region}:000000000000:secret:${name}-${suffix}`;
}

/** Whether `secretId` (name, ARN, or ARN without its suffix) means this secret. @see UG/troubleshoot, ARN_secretnamehyphen */
export function isNamedBy(secret: Secret, secretId: string): boolean {
  return secretId === secret.name || secretId === secret.arn || secretId === secret.arn.slice(0, -'-xxxxxx'.length);
}

/** The version that has the label; a label is on one version at most. */
export function holderOf(secret: Secret, label: string): Version | undefined {
  return secret.versions.values().find((version) => version.stages.has(label));
}

/** AWSPENDING's version, unless it is AWSCURRENT's too: then no rotation is under way. @see RotateSecret */
export function pendingVersion(secret: Secret): Version | undefined {
  const pending = holderOf(secret, 'AWSPENDING');
  return pending?.stages.has('AWSCURRENT') ? undefined : pending;
}

/** @throws ServiceError LimitExceededException where a secret would have more than 20 labels on all its versions */
export function assertRoomFor(secret: Secret, labels: readonly string[]): void {
  const attached = new Set([...secret.versions.values().flatMap((version) => version.stages), ...labels]);
  if (labels.includes('AWSCURRENT') && holderOf(secret, 'AWSCURRENT')) attached.add('AWSPREVIOUS');
  if (attached.size > MAX_LABELS) {
    throw new ServiceError('LimitExceededException', `A secret can't have more than ${MAX_LABELS} staging labels.`);
  }
}

/**
 * Moves a label from wherever it is. AWSCURRENT's former version becomes AWSPREVIOUS.
 * @see PutSecretValue (VersionStages), UpdateSecretVersionStage
 */
export function attach(secret: Secret, label: string, version: Version): void {
  const holder = holderOf(secret, label);
  if (holder === version) return;
  holder?.stages.delete(label);
  version.stages.add(label);
  if (label === 'AWSCURRENT' && holder) attach(secret, 'AWSPREVIOUS', holder);
}

/**
 * UpdateSecretVersionStage: the caller must name the version that has the label now, and AWSCURRENT can only move.
 * @throws ServiceError InvalidParameterException, ResourceNotFoundException, LimitExceededException
 */
export function moveLabel(secret: Secret, label: string, removeFrom: string | undefined, moveTo: string | undefined) {
  const holder = holderOf(secret, label);
  if (!removeFrom && !moveTo) throw invalidParameter('You must provide RemoveFromVersionId, MoveToVersionId, or both.');
  if (removeFrom && removeFrom !== holder?.id) {
    throw invalidParameter(
      `Staging label ${label} is not attached to version ${removeFrom} given in RemoveFromVersionId.`,
    );
  }
  if (!moveTo) {
    if (label === 'AWSCURRENT') {
      throw invalidParameter(
        "You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed.",
      );
    }
    holder?.stages.delete(label);
    return;
  }
  const target = secret.versions.get(moveTo);
  if (!target) throw notFound(`secret version: ${moveTo}`);
  if (holder && holder !== target && !removeFrom) {
    throw invalidParameter(
      `The parameter RemoveFromVersionId can't be empty. Staging label ${label} is currently attached to version ${holder.id}, so you must explicitly reference that version in RemoveFromVersionId.`,
    );
  }
  assertRoomFor(secret, [label]);
  attach(secret, label, target);
}

/**
 * GetSecretValue's choice of a version. A version without a value, as RotateSecret makes it, is not found.
 * @throws ServiceError ResourceNotFoundException, InvalidRequestException
 */
export function readVersion(secret: Secret, id: string | undefined, label: string | undefined) {
  const version = id ? secret.versions.get(id) : holderOf(secret, label ?? 'AWSCURRENT');
  if (version && id && label && !version.stages.has(label)) {
    throw invalidRequest('You provided a VersionStage that is not associated to the provided VersionId.');
  }
  if (!version?.value) {
    throw notFound(`secret value for ${id ? `VersionId: ${id}` : `staging label: ${label ?? 'AWSCURRENT'}`}`);
  }
  return { version, value: version.value };
}

/** Removes the oldest unlabelled versions beyond 100, none younger than 24 hours. @see PutSecretValue, UG/reference_limits */
export function prune(secret: Secret, now: Date): void {
  for (const version of secret.versions.values().toArray()) {
    if (secret.versions.size <= MAX_VERSIONS) return;
    const ageMs = now.getTime() - version.createdAt.getTime();
    if (version.stages.size === 0 && ageMs >= PRUNED_AFTER_MS) secret.versions.delete(version.id);
  }
}
