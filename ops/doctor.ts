import {
  RestoreSecretCommand,
  RotateSecretCommand,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { requestToken } from '../consumer/token-request.ts';
import {
  clientSecretIn,
  parseBridgeSecret,
  parseLoginSecret,
  parseRotatedSecret,
  type RotatedSecret,
} from '../lambda/rotation/client-secret.ts';
import { RotationError } from '../lambda/rotation/rotation-error.ts';
import {
  diagnose,
  type Finding,
  isRunning,
  ofPending,
  type PendingVerdict,
  type Repair,
  type SecretLook,
  type Sight,
} from './diagnosis.ts';
import { asOpsError, OpsError } from './failure.ts';
import { preflight } from './preflight.ts';
import { startAndFollow } from './rotate.ts';
import { type Described, type Session, unfinished } from './session.ts';
import { lasting } from './words.ts';

/**
 * Looks for every stuck state, explains it, and mends it where --yes or the finding's name, typed, allows it. Presses nothing.
 *
 * @param only names of findings; the others are told and left
 * @returns whether nothing is wrong any more
 */
export async function doctor(session: Session, only: readonly string[]): Promise<boolean> {
  const [told, tried] = [new Set<string>(), new Set<string>()];
  for (;;) {
    const seen = await observe(session);
    const findings = diagnose(seen, only);
    for (const finding of findings) {
      if (!told.has(finding.name)) tell(session, finding);
      told.add(finding.name);
    }
    const next = await nextToMend(session, findings, only, tried);
    if (next) {
      await mend(session, next).catch((thrown: unknown) => {
        // One that fails keeps none of the others from being made.
        const { message, next } = asOpsError(thrown);
        session.say({ fact: 'not-repaired', error: message, next }, `Not repaired: ${message}\n  Next: ${next}`);
      });
      continue;
    }
    const left = findings.map(({ name }) => name);
    const pending = isRunning(seen) ? seen.pending : undefined;
    const stuck = ofPending(seen).map(({ name }) => name);
    const running = pending
      ? `A rotation has been under way for ${lasting(pending.ageMs)}; leave it alone. Where you know that it has ended, doctor ${stuck} mends it. `
      : '';
    const summary =
      left.length > 0 ? `Left: ${left.join(', ')}.` : 'Nothing is wrong that can be told without the portal.';
    const strange = only.filter((name) => !told.has(name));
    const notFound = strange.length > 0 ? ` Not found: ${strange.join(', ')}.` : '';
    session.say(
      { fact: 'summary', left, running: pending !== undefined, ...(notFound && { not_found: strange }) },
      `${running}${summary}${notFound}`,
    );
    return left.length === 0;
  }
}

function tell(session: Session, { name, says, next, repair }: Finding): void {
  const mendable = repair !== undefined;
  session.say(
    { fact: 'finding', name, says, next, mendable },
    `${name}: ${says}\n  ${mendable ? 'Repair' : 'Next'}: ${next}`,
  );
}

/** The first repair that was not tried yet and is allowed. */
async function nextToMend(
  session: Session,
  findings: Finding[],
  only: readonly string[],
  tried: Set<string>,
): Promise<Repair | undefined> {
  for (const { name, next, repair } of findings) {
    if (!repair || tried.has(name) || (only.length > 0 && !only.includes(name))) continue;
    tried.add(name);
    const isAllowed = session.confirm(`Repair of ${name}: ${next}.`, name).then(
      () => true,
      (error: unknown) => {
        if (error instanceof OpsError && error.exit === 'unconfirmed') return false;
        throw error;
      },
    );
    if (await isAllowed) return repair;
  }
  return undefined;
}

/** For the take-up of a rotation whose client secret is stored already. */
const waitMinutes = 15;

async function mend(session: Session, repair: Repair): Promise<void> {
  const { secretsManager } = session;
  const SecretId = session.secretId();
  const done = (text: string) => session.say({ fact: 'repaired', ...repair }, text);
  switch (repair.do) {
    case 'restore':
      await secretsManager.send(new RestoreSecretCommand({ SecretId: repair.secretId }));
      return done(`Restored ${repair.secretId}.`);
    case 'release':
      for (const VersionStage of repair.labels) {
        const RemoveFromVersionId = repair.versionId;
        await secretsManager.send(new UpdateSecretVersionStageCommand({ SecretId, VersionStage, RemoveFromVersionId }));
      }
      return done(`Took ${repair.labels.join(' and ')} off version ${repair.versionId}.`);
    case 'take-up':
      await startAndFollow(session, repair.versionId, { waitMinutes });
      return done(`The rotation ${repair.versionId} has ended.`);
    case 'enable':
      await secretsManager.send(new RotateSecretCommand({ SecretId, RotateImmediately: false }));
      return done('Rotation is on.');
    case 'preflight':
      await preflight(session);
      return;
  }
}

async function observe(session: Session): Promise<Sight> {
  const now = new Date();
  const secret = await session.describe();
  if (secret.deletedAt) return { secret, now, current: { state: 'deleted', arn: secret.arn } };
  let parsed: RotatedSecret | undefined;
  const current = await lookAt(session, secret.arn, (name, value) => {
    parsed = parseRotatedSecret(name, value);
  });
  const pendingId = unfinished(secret);
  return {
    secret,
    now,
    current,
    ...(pendingId && { pending: await lookAtPending(session, secret, pendingId, parsed, now) }),
    ...(parsed && {
      login: await lookAt(session, parsed.login_secret_arn, parseLoginSecret),
      bridge: await lookAt(session, parsed.bridge_secret_arn, parseBridgeSecret),
    }),
  };
}

async function lookAtPending(
  session: Session,
  { arn }: Described,
  versionId: string,
  current: RotatedSecret | undefined,
  now: Date,
): Promise<NonNullable<Sight['pending']>> {
  const createdAt = (await session.createdAt()).get(versionId) ?? now;
  const version = await session.read(arn, { versionId });
  const verdict = version ? await verdictOn(version.value, current) : 'empty';
  return { verdict, ageMs: now.getTime() - createdAt.getTime() };
}

const timeoutMs = 10_000;

async function verdictOn(value: string, current: RotatedSecret | undefined): Promise<PendingVerdict> {
  const clientSecret = clientSecretIn(value);
  if (!current) return 'unreachable';
  if (!clientSecret || (JSON.parse(value) as Partial<RotatedSecret>).client_id !== current.client_id) return 'foreign';
  if (clientSecret === current.client_secret) return 'copy';
  const { token_endpoint: tokenEndpoint, client_id: clientId } = current;
  return (await requestToken({ tokenEndpoint, clientId, clientSecret, timeoutMs })).verdict;
}

/** @param understand throws where the value is not what it should be */
async function lookAt(
  session: Session,
  arn: string,
  understand: (name: string, value: string) => unknown,
): Promise<SecretLook> {
  try {
    if ((await session.describe(arn)).deletedAt) return { arn, state: 'deleted' };
    const version = await session.read(arn, { label: 'AWSCURRENT' });
    if (!version) return { arn, state: 'empty' };
    understand(arn, version.value);
    return { arn, state: 'well-formed', versionId: version.versionId };
  } catch (error) {
    // Neither ours nor AWS's texts quote a value.
    if (!(error instanceof RotationError)) return { arn, state: 'unreadable', detail: asOpsError(error).message };
    return { arn, state: 'malformed', detail: error.what.replace(`secret ${arn}: `, '') };
  }
}
