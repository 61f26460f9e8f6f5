import { parseBridgeSecret, parseRotatedSecret, type RotatedSecret } from '../lambda/rotation/client-secret.ts';
import { rotatedDue, versionWith } from '../lambda/rotation/labels.ts';
import { RotationError } from '../lambda/rotation/rotation-error.ts';
import { OpsError } from './failure.ts';
import { lastEvents, type PublishedEvent } from './function-log.ts';
import { type Described, type Session, unfinished } from './session.ts';
import { columns, instant, lasting } from './words.ts';

/** Says where everything stands, without asking the portal or the token endpoint. Changes nothing. */
export async function status(session: Session): Promise<void> {
  const now = new Date();
  const secret = await session.describe();
  const createdAt = await session.createdAt();
  const current = await currentOf(session, secret).catch(unread);
  const bridge = typeof current === 'string' ? current : await bridgeOf(session, current).catch(unread);
  const login = typeof current === 'string' ? undefined : await loginOf(session, current).catch(() => undefined);
  const events = await lastEvents(session, secret).catch(unread);
  const versions = [...secret.labels].map(([id, labels]) => ({ id, labels, created_at: createdAt.get(id) }));
  const summary = inWords(secret, login, now);
  const known = {
    secret: secret.arn,
    name: secret.name,
    summary,
    rotation_enabled: secret.rotationEnabled,
    interval_days: secret.intervalDays,
    last_rotated_at: secret.lastRotatedAt,
    next_rotation_at: secret.nextRotationAt,
    deleted_at: secret.deletedAt,
    function: secret.functionArn,
    preflight: secret.tags.get('preflight'),
    login_refused: secret.tags.get('login-refused'),
    versions,
    bridge,
    events,
  };
  const at = (date: Date | undefined, otherwise: string) => (date ? instant(date, now) : otherwise);
  const schedule = secret.intervalDays ? `, every ${secret.intervalDays} days` : '';
  const rows = [
    ['rotation', `${secret.rotationEnabled ? 'enabled' : 'off'}${schedule}`],
    ['last rotated', at(secret.lastRotatedAt, 'never')],
    ['next rotation', at(secret.nextRotationAt, 'none is scheduled')],
    ['preflight', secret.tags.get('preflight') ?? 'was never run'],
    ...versions.map(
      ({ id, labels, created_at }) =>
        [labels.join(', '), `version ${id}, ${at(created_at, 'of unknown age')}`] as const,
    ),
    [
      'bridge secret',
      typeof bridge === 'string'
        ? bridge
        : `armed ${instant(bridge.armed_at, now)}, ${tokenInWords(bridge.token_until, now)}`,
    ],
    ...eventRows(events, now),
    ['function', secret.functionArn ?? 'none'],
  ] as const;
  session.say(known, `${secret.name}\n${columns(rows)}\n${summary}`);
}

/** Our own errors tell more than their name. */
function unread(error: Error): string {
  const what = error instanceof RotationError ? error.what : error instanceof OpsError ? error.message : error.name;
  return `cannot be read: ${what}`;
}

function eventRows(events: PublishedEvent[] | string, now: Date): [string, string][] {
  if (typeof events === 'string') return [['events', events]];
  if (events.length === 0) return [['events', 'none that the function’s log knows of']];
  return events.map(({ type, at, version }) => [
    'event',
    `${type}, ${instant(at, now)}${version ? `, for version ${version}` : ''}`,
  ]);
}

/** AWSCURRENT, or why it is not known. */
async function currentOf(session: Session, { arn, name, deletedAt }: Described): Promise<RotatedSecret | string> {
  if (deletedAt) return 'not read';
  const current = await session.read(arn, { label: 'AWSCURRENT' });
  return current ? parseRotatedSecret(name, current.value) : 'not known: the rotated secret has no value';
}

/** The version of the login that a rotation would use. */
async function loginOf(session: Session, { login_secret_arn: loginArn }: RotatedSecret): Promise<string | undefined> {
  return versionWith(await session.describe(loginArn), 'AWSCURRENT');
}

/** When the latest slot was taken, and until when its token lives. No part of it is the token. */
async function bridgeOf(session: Session, { bridge_secret_arn: bridgeArn }: RotatedSecret) {
  const version = await session.read(bridgeArn, { label: 'AWSCURRENT' });
  if (!version) return 'empty until the first press';
  const slot = parseBridgeSecret(bridgeArn, version.value);
  return {
    armed_at: new Date(slot.armed_at),
    armed_for: slot.armed_for,
    attempt: slot.attempt,
    token_until: slot.expires_at ? new Date(slot.expires_at) : undefined,
  };
}

function tokenInWords(until: Date | undefined, now: Date): string {
  if (!until) return 'without a token';
  return until < now ? 'its token has expired' : `its token lives for ${lasting(until.getTime() - now.getTime())}`;
}

/**
 * The first thing that an operator has to know.
 *
 * @param login the version of the stored login, where it is known: that another was refused means nothing any more
 */
export function inWords(secret: Described, login: string | undefined, now: Date): string {
  const refused = secret.tags.get('login-refused');
  const preflight = secret.tags.get('preflight');
  if (secret.deletedAt) return 'The secret is scheduled for deletion; nothing rotates it. Next: doctor.';
  if (!versionWith(secret, 'AWSCURRENT')) return 'The secret has no value yet. Next: init.';
  const pending = unfinished(secret);
  if (refused && refused === (login ?? refused)) return 'The portal has refused the login. Next: doctor.';
  if (pending) return `The rotation ${pending} is not finished. Next: wait for it, or doctor.`;
  if (versionWith(secret, rotatedDue)) return 'Consumers have not been told of the last rotation yet. Next: doctor.';
  if (preflight?.startsWith('failed')) return `The last preflight failed (${preflight}). Next: preflight.`;
  if (!secret.rotationEnabled) return 'Rotation is off: nothing rotates by itself. Next: doctor, or rotate.';
  if (secret.nextRotationAt && secret.nextRotationAt < now)
    return 'The rotation is overdue. Next: preflight, then rotate.';
  return preflight ? 'All is well.' : 'Nothing is known to be wrong, but no preflight was ever run. Next: preflight.';
}
