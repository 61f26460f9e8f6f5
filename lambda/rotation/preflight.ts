import { randomUUID } from 'node:crypto';
import { clientSecretIn } from './client-secret.ts';
import { releasePending, versionWith } from './labels.ts';
import { secondLookAfterMs } from './limits.ts';
import type { DeveloperTools, Finding, Ports, SecretDescription } from './ports.ts';
import { publishRotatedDue } from './rotated-due.ts';
import { asRotationError, RotationError } from './rotation-error.ts';
import type { Run } from './run.ts';
import { credentialsOf, openDeveloperTools, type RotatedVersion, readCurrent, readSlots } from './secrets.ts';
import { recordState } from './state.ts';

export interface PreflightReport {
  ok: boolean;
  checks: Finding[];
  /** The portal shows another client secret than AWSCURRENT's. */
  drift: boolean;
  /** What was put right, in words. */
  repairs: string[];
}

/** An AWSPENDING of this age belongs to no rotation that Secrets Manager is still retrying. */
const stuckAfterMs = 12 * 3_600_000;

/** The portal shows another client secret than AWSCURRENT's. */
class Drift extends RotationError {}

/** What was checked, in order. A check that throws is a failure of its own and ends nothing. */
class Checklist {
  readonly checks: Finding[] = [];
  readonly repairs: string[] = [];
  readonly errors: { name: string; error: RotationError }[] = [];

  /** @returns what the body gave, undefined where it failed */
  async add<T>(name: string, body: () => Promise<T>, detail: string | ((result: T) => string)): Promise<T | undefined> {
    try {
      const result = await body();
      this.checks.push({ name, ok: true, detail: typeof detail === 'string' ? detail : detail(result) });
      return result;
    } catch (thrown) {
      const action = 'read the log of this invocation';
      const error = asRotationError(thrown, { category: 'secret-store', retryable: true, pressed: 'no', action });
      this.checks.push({ name, ok: false, detail: `${error.what}; next: ${error.action}` });
      this.errors.push({ name, error });
      return undefined;
    }
  }

  /** @returns whether the repair was made */
  async repair(name: string, body: () => Promise<string>): Promise<void> {
    const done = await this.add(name, body, (what) => what);
    if (done !== undefined) this.repairs.push(done);
  }

  get drift(): boolean {
    return this.errors.some(({ error }) => error instanceof Drift);
  }
}

/**
 * Everything up to the press, without it: looks, proves the write path, and repairs what needs no press.
 *
 * @param repair what needs RotateSecret is not repaired while rotation is paused either, since that would enable it
 * @param record whether to publish and tag a change of state
 * @returns the report, and the failed checks as errors, in order
 */
export async function preflight(
  run: Run,
  ports: Ports,
  { repair, record }: { repair: boolean; record: boolean },
): Promise<{ report: PreflightReport; errors: Checklist['errors'] }> {
  const list = new Checklist();
  const description = await list.add(
    'secret',
    () => describe(run, ports),
    ({ name }) => name,
  );
  const current =
    description && (await list.add('rotated-secret', () => readCurrent(run, ports, description), 'well-formed'));
  if (description && current) await checkSecret(run, ports, list, description, current, repair);
  if (record && description) {
    const recorded = () => recordState(run, ports, list.errors[0]?.error, current?.secret.client_id);
    await list.add('state', recorded, (change) => change ?? 'unchanged');
  }
  const { checks, drift, repairs, errors } = list;
  return { report: { ok: errors.length === 0, checks, drift, repairs }, errors };
}

async function describe(run: Run, ports: Ports): Promise<SecretDescription> {
  const description = await ports.secrets.describe(run.secretId);
  if (!description.deletedAt) return description;
  throw new RotationError({
    category: 'configuration',
    what: `secret ${description.name} is scheduled for deletion`,
    retryable: false,
    pressed: 'no',
    action: 'restore the secret, or remove its preflight schedule',
  });
}

async function checkSecret(
  run: Run,
  ports: Ports,
  list: Checklist,
  description: SecretDescription,
  current: RotatedVersion,
  repair: boolean,
): Promise<void> {
  const mayRotate = repair && description.rotationEnabled;
  const paused = 'paused: nothing is repaired that needs a rotation';
  list.checks.push({ name: 'rotation', ok: true, detail: description.rotationEnabled ? 'enabled' : paused });
  await list.add('topic', () => ports.events.prove(), 'exists');
  await list.add(
    'bridge-secret',
    () => readSlots(run, ports, current.secret.bridge_secret_arn),
    ({ latest }) => (latest ? `last armed at ${latest.slot.armed_at}` : 'empty until the first press'),
  );
  if (repair) {
    const due = await list.add(
      'events',
      () => publishRotatedDue(run, ports, description, current),
      'none is due any more',
    );
    if (due) list.repairs.push(`published rotated.v1 for version ${due}`);
  }

  const pending = versionWith(description, 'AWSPENDING');
  // The copy that a test of the configuration is given is no rotation that runs.
  const running = pending !== undefined && pending !== current.version.versionId && pending !== run.token;
  const stuck =
    running &&
    (await list.add(
      'pending',
      () => isStuck(run, ports, pending),
      (is) => (is ? 'stuck' : 'a rotation is running'),
    ));
  if (stuck && mayRotate) await list.repair('stuck-rotation', () => resolveStuck(run, ports, current, pending));
  else if (stuck) await list.add('stuck-rotation', () => tellStuck(pending), '');
  if (!running) {
    const proven = 'what changes nothing was taken: a put, and a move of a label';
    await list.add('write-path', () => proveWritePath(run, ports, description, current), proven);
  }

  const accepted = await lookAtPortal(run, ports, list, description, current, running);
  if (list.drift && accepted && mayRotate && !running) {
    await list.repair('adopt', async () => {
      const token = `adopt-${randomUUID()}`;
      const outcome = await ports.secrets.rotate(run.secretId, token);
      return outcome === 'started'
        ? `started the adopting rotation ${token}`
        : 'had an unfinished rotation taken up again';
    });
  }
}

/** @returns whether the token endpoint accepts what the portal shows */
async function lookAtPortal(
  run: Run,
  ports: Ports,
  list: Checklist,
  description: SecretDescription,
  current: RotatedVersion,
  running: boolean,
): Promise<boolean> {
  const tools = await list.add('login', () => openDeveloperTools(run, ports, description, current.secret), 'logged in');
  if (!tools) {
    list.checks.push(...ports.portal.findings());
    return false;
  }
  try {
    const shown = await list.add('shown-secret', () => lookAt(run, ports, tools), 'readable');
    await list.add('rehearsal', () => tools.rehearse(run.signal), 'everything up to the press was found');
    list.checks.push(...ports.portal.findings());
    if (shown === undefined) return false;
    const accepts = () => requireAccepted(run, ports, current, shown);
    const accepted = await list.add('token-endpoint', accepts, 'accepts what the portal shows');
    // In the middle of a rotation the portal is ahead of AWSCURRENT, as it should be.
    if (!running) {
      const same = 'the portal shows AWSCURRENT’s client secret';
      await list.add('drift', () => requireNoDrift(run, ports, current, tools, shown), same);
    }
    return accepted === true;
  } finally {
    await tools.close();
  }
}

async function lookAt(run: Run, ports: Ports, tools: DeveloperTools): Promise<string> {
  const shown = await tools.look(run.signal);
  ports.learnSecret(shown);
  return shown;
}

/** Drift takes two looks, as adopting does: one could be a stale field. */
async function requireNoDrift(
  run: Run,
  ports: Ports,
  { secret }: RotatedVersion,
  tools: DeveloperTools,
  first: string,
): Promise<void> {
  if (first === secret.client_secret) return;
  await ports.clock.sleep(secondLookAfterMs(run.limits), run.signal);
  if ((await lookAt(run, ports, tools)) === secret.client_secret) return;
  throw new Drift({
    category: 'concurrency',
    what: secret.client_secret
      ? 'drift: the portal shows another client secret than AWSCURRENT’s; a person rotated, or a rotation died after its press'
      : 'AWSCURRENT has no client_secret yet',
    retryable: true,
    pressed: 'no',
    action:
      'none where `repairs` names an adopting rotation; otherwise start a rotation: it adopts what the portal shows',
  });
}

async function requireAccepted(
  run: Run,
  ports: Ports,
  { secret }: RotatedVersion,
  clientSecret: string,
): Promise<true> {
  const answer = await ports.tokens.mint(credentialsOf(secret, clientSecret), run.signal);
  if (answer.verdict === 'accepted') {
    ports.learnSecret(answer.token.accessToken);
    return true;
  }
  throw new RotationError({
    category: 'token-endpoint',
    what: `the client secret is ${answer.verdict}: ${answer.detail}`,
    retryable: true,
    pressed: 'no',
    action: 'look at the provider’s status page, and at client_id and token_endpoint in the rotated secret',
  });
}

/** No version has it. Taking it off changes nothing, and the service refuses that, after it has looked whether it would be allowed. */
const labelOfNone = 'PREFLIGHT';

/**
 * The permission and the key are proven while there is a way back, never inside a rotation. The labels are those that the versions
 * have: some emulators move labels even where the value is there already.
 *
 * @see rotation-lambdas#53, aws-cdk#14833
 */
async function proveWritePath(
  run: Run,
  { secrets }: Ports,
  { labels }: SecretDescription,
  { version, secret }: RotatedVersion,
): Promise<void> {
  const { versionId, value } = version;
  await secrets.put(run.secretId, { versionId, value, labels: labels.get(versionId) ?? ['AWSCURRENT'] });
  await secrets.moveLabel(run.secretId, labelOfNone, { from: versionId }).catch((error: unknown) => {
    if (error instanceof RotationError && error.category === 'permission') throw error;
  });
  const slot = await secrets.read(secret.bridge_secret_arn, { label: 'AWSCURRENT' });
  if (slot) await secrets.put(secret.bridge_secret_arn, { ...slot, labels: ['AWSCURRENT'] });
}

async function isStuck(run: Run, ports: Ports, pending: string): Promise<boolean> {
  const createdAt = await ports.secrets.createdAt(run.secretId, pending);
  return createdAt !== undefined && ports.clock.now().getTime() - createdAt.getTime() > stuckAfterMs;
}

async function tellStuck(pending: string): Promise<never> {
  throw new RotationError({
    category: 'secret-store',
    what: `AWSPENDING has been on version ${pending} for more than 12 hours and blocks every rotation`,
    retryable: false,
    pressed: 'unknown',
    action:
      'enable rotation and repairs and run preflight again, or call RotateSecret with this version id, or take AWSPENDING off it',
  });
}

/** @returns what was done about an AWSPENDING that no rotation is working on */
async function resolveStuck(run: Run, ports: Ports, current: RotatedVersion, pending: string): Promise<string> {
  const version = await ports.secrets.read(run.secretId, { versionId: pending });
  const clientSecret = version && clientSecretIn(version.value);
  if (clientSecret) {
    ports.learnSecret(clientSecret);
    const answer = await ports.tokens.mint(credentialsOf(current.secret, clientSecret), run.signal);
    if (answer.verdict === 'accepted') {
      await ports.secrets.rotate(run.secretId, pending);
      return `had the rotation ${pending} taken up again`;
    }
    if (answer.verdict === 'unreachable') return tellStuck(pending);
  }
  if (!(await releasePending(run, ports, pending))) return tellStuck(pending);
  return `took AWSPENDING off version ${pending}`;
}
