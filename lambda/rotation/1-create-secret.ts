import { guard } from './0-guard.ts';
import { type Found, movedSince, type Observation, observe } from './1a-observe.ts';
import { decide } from './1b-decide.ts';
import { press } from './1d-press.ts';
import { store } from './1e-store.ts';
import { announce } from './announce.ts';
import { releasePending, versionWith } from './labels.ts';
import { changeoverMs, slotToPressMs } from './limits.ts';
import type { DeveloperTools, Ports } from './ports.ts';
import { publishRotated, publishRotatedDue } from './rotated-due.ts';
import { type Pressed, RotationError } from './rotation-error.ts';
import type { Run } from './run.ts';
import { openDeveloperTools, readCurrent, readSlots } from './secrets.ts';

/** Rounds are looks; labels or a page that never keep still must not keep a browser for a quarter of an hour. */
const maxRounds = 12;

type Open = Parameters<typeof observe>[2];

/**
 * The step with the browser: gets the next client secret from the portal into AWSPENDING, by a press or by adopting what the portal
 * shows. Reads, decides, acts; may be killed anywhere and run again, even twice at once.
 *
 * @see Secrets Manager user guide, "Lambda rotation functions", createSecret
 * @throws {RotationError}
 */
export async function createSecret(run: Run, ports: Ports): Promise<void> {
  const description = await ports.secrets.describe(run.secretId);
  if (guard(run, description) === 'current') return;
  await publishRotatedDue(run, ports, description, await readCurrent(run, ports, description));

  let tools: DeveloperTools | undefined;
  const open: Open = async (secret, current) => {
    tools ??= await openDeveloperTools(run, ports, secret, current.secret);
    return tools;
  };
  try {
    await untilDecided(run, ports, open);
  } finally {
    await tools?.close();
  }
}

async function untilDecided(run: Run, ports: Ports, open: Open): Promise<void> {
  let seen: Observation | undefined;
  for (let round = 1; round <= maxRounds; round++) {
    seen = await observe(run, ports, open, seen);
    const decision = decide(seen.sight, run.limits);
    ports.log('decided', { decision: decision.kind, why: decision.why, round, ...seen.sight });
    switch (decision.kind) {
      case 'done':
        return announceStored(run, ports);
      case 'wait':
        if (run.remainingMs() < decision.forMs + changeoverMs(run.limits)) throw decision.otherwise;
        await ports.clock.sleep(decision.forMs, run.signal);
        break;
      case 'adopt':
      case 'press': {
        const found = await toActOn(run, ports, seen);
        await (decision.kind === 'adopt' ? adopt : pressAndStore)(run, ports, found);
        return publishForOvertaker(run, ports, found);
      }
      case 'fail':
        throw decision.error;
      case 'give-up':
        await releasePending(run, ports);
        throw decision.error;
    }
  }
  throw new RotationError({
    category: 'portal-changed',
    what: `what the portal shows did not keep still over ${maxRounds} looks`,
    retryable: true,
    pressed: 'no',
    action: 'see who else rotates this client by hand; none if the retry succeeds',
  });
}

/** Storing moves `ROTATED_DUE` off a version that may have become AWSCURRENT since the first look, and be owed its event. */
async function toActOn(run: Run, ports: Ports, { found }: Observation): Promise<Found> {
  if (!found) throw new Error('a decision to act without anything found');
  await publishRotatedDue(run, ports, found.description, found.current);
  return found;
}

/**
 * Nothing may come between a press and storing. So where another rotation has ended meanwhile, storing took `ROTATED_DUE` off its
 * version, and only here is it known that its event may be owed. What is done is done: failing to publish stops nothing.
 */
async function publishForOvertaker(run: Run, ports: Ports, before: Found): Promise<void> {
  try {
    const description = await ports.secrets.describe(run.secretId);
    const versionId = versionWith(description, 'AWSCURRENT');
    if (versionId === undefined || versionId === run.token || versionId === before.current.version.versionId) return;
    const current = await readCurrent(run, ports, description);
    await publishRotated(run, ports, description, current, versionId, versionWith(description, 'AWSPREVIOUS'));
  } catch (error) {
    ports.log('not-published', { type: 'rotated', error });
  }
}

async function pressAndStore(run: Run, ports: Ports, seen: Found): Promise<void> {
  const { clientSecret, pressedAtMs } = await press(run, ports, seen);
  await store(run, ports, seen, clientSecret, 'yes');
  const changeoverMs = Math.round(ports.clock.monotonicMs() - pressedAtMs);
  ports.log('changeover', { changeoverMs });
  const previousInvalidAfterMs = ports.clock.now().getTime() + run.limits.propagationMs;
  await announcePending(run, ports, seen, {
    pressed: 'yes',
    adopted: false,
    changeover_ms: changeoverMs,
    previous_invalid_after: new Date(previousInvalidAfterMs).toISOString(),
  });
}

async function adopt(run: Run, ports: Ports, seen: Found): Promise<void> {
  // An earlier invocation of this rotation may have pressed and died: its slot is the last word on that.
  const slots = await readSlots(run, ports, seen.current.secret.bridge_secret_arn).catch(() => undefined);
  const pressed = slots?.armedForThisRotation === 0 ? 'no' : 'unknown';
  await assertUnmoved(run, ports, seen);
  await store(run, ports, seen, seen.shownSecret, pressed);
  await announcePending(run, ports, seen, { pressed, adopted: true });
}

/** Others go on while an invocation stands still, and what it saw before would be stored as a client secret that is superseded. */
async function assertUnmoved(run: Run, ports: Ports, seen: Found): Promise<void> {
  const beganMs = ports.clock.monotonicMs();
  const moved = await movedSince(run, ports, seen);
  if (!moved && ports.clock.monotonicMs() - beganMs <= slotToPressMs) return;
  throw new RotationError({
    category: 'concurrency',
    what: 'something moved just before the client secret that the portal shows was to be stored; it was not',
    retryable: true,
    pressed: 'no',
    action: 'none if the retry succeeds',
  });
}

/** The value was stored by an earlier invocation, which may have died before it could tell consumers. */
async function announceStored(run: Run, ports: Ports): Promise<void> {
  const description = await ports.secrets.describe(run.secretId);
  if (guard(run, description) === 'current') return;
  const current = await readCurrent(run, ports, description);
  await announcePending(run, ports, { description, current }, {});
}

/** A fact of the version, however many presses it took: whoever tells it again gives it the same id. */
function announcePending(
  run: Run,
  ports: Ports,
  seen: Pick<Found, 'description' | 'current'>,
  known: { adopted?: boolean; pressed?: Pressed; changeover_ms?: number; previous_invalid_after?: string },
): Promise<void> {
  return announce(run, ports, seen, 'pending', { attempt: 0, existing_tokens_valid: true, ...known });
}
