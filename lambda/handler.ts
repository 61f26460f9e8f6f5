import { setTimeout as sleep } from 'node:timers/promises';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Context } from 'aws-lambda';
import * as z from 'zod/mini';
import { secretStore } from './aws/secret-store.ts';
import { rotationLog } from './log.ts';
import { printMetrics } from './metrics.ts';
import { tokenEndpoint } from './oauth/token-endpoint.ts';
import type { EvidenceStore } from './portal/evidence.ts';
import { createSecret } from './rotation/1-create-secret.ts';
import { setSecret } from './rotation/2-set-secret.ts';
import { testSecret } from './rotation/3-test-secret.ts';
import { finishSecret } from './rotation/4-finish-secret.ts';
import { defaultLimits } from './rotation/limits.ts';
import { parse, text } from './rotation/parse.ts';
import type { Clock, EventPublisher, Log, Portal, Ports } from './rotation/ports.ts';
import { type PreflightReport, preflight } from './rotation/preflight.ts';
import { Redactor } from './rotation/redact.ts';
import { asRotationError, RotationError } from './rotation/rotation-error.ts';
import { type Step, steps } from './rotation/rotation-event.ts';
import { reportFailure } from './rotation/rotation-failed.ts';
import type { Run } from './rotation/run.ts';

const eventSchema = z.discriminatedUnion('Step', [
  z.object({
    Step: z.enum(steps),
    SecretId: text,
    ClientRequestToken: text,
    RotationToken: z.optional(z.string()),
  }),
  z.object({ Step: z.literal('preflight'), SecretId: text }),
]);

type Request = z.infer<typeof eventSchema>;

const environmentSchema = z.object({
  ROTATION_TOPIC_ARN: z.string().check(z.startsWith('arn:')),
  PORTAL_PROFILE_PARAMETER: z.optional(text),
  EVIDENCE_BUCKET: z.optional(text),
  PREFLIGHT_REPAIRS: z._default(z.enum(['on', 'off']), 'on'),
});

const rotationSteps: Record<Step, (run: Run, ports: Ports) => Promise<void>> = {
  createSecret,
  setSecret,
  testSecret,
  finishSecret,
};

/** Kept back of an invocation for closing the browser and saying what happened. */
const lastWordsMs = 12_000;

/** What is still under way then is given up. */
const lastCallMs = 1_000;

const clock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  async sleep(durationMs, signal) {
    await sleep(durationMs, undefined, { signal }).catch((cause: unknown) => {
      throw new RotationError({
        category: 'timeout',
        what: 'the invocation’s time was up',
        retryable: true,
        pressed: 'no',
        action: 'none if the retry succeeds; otherwise raise the function timeout (15 minutes are meant)',
        cause,
      });
    });
  },
};

const sdk = { requestHandler: { connectionTimeout: 2_000, requestTimeout: 3_000, throwOnRequestTimeout: true } };
const secretsManager = new SecretsManagerClient(sdk);

/** What one invocation has to itself. */
interface Invocation {
  context: Context;
  redactor: Redactor;
  log: Log;
  /** The time to act is up. */
  timeUp: AbortSignal;
  /** The time to speak is up. */
  lastCall: AbortSignal;
}

/**
 * One step of a rotation, as Secrets Manager asks for it, or a preflight.
 *
 * @returns nothing for a step; the report for a preflight
 * @throws {RotationError} `[category] what happened; pressed: yes|no|unknown; next: action`
 * @see Secrets Manager user guide, "Rotation by Lambda function"
 */
export async function handler(event: unknown, context: Context): Promise<PreflightReport | undefined> {
  const redactor = new Redactor();
  const log = rotationLog(redactor, correlation(event, context));
  const [timeUp, lastCall] = [new AbortController(), new AbortController()];
  const abortLater = (controller: AbortController, keptMs: number) =>
    setTimeout(() => controller.abort(), Math.max(0, context.getRemainingTimeInMillis() - keptMs));
  const timers = [abortLater(timeUp, lastWordsMs), abortLater(lastCall, lastCallMs)];
  try {
    const request = parse(
      eventSchema,
      event,
      invalidInput('the invocation event', 'let Secrets Manager or the preflight schedule invoke it'),
    );
    const invocation = { context, redactor, log, timeUp: timeUp.signal, lastCall: lastCall.signal };
    if (request.Step === 'preflight') return await answerPreflight(request, invocation);
    if (request.RotationToken) redactor.learn(request.RotationToken);
    return await runStep(request, invocation);
  } catch (thrown) {
    const error = printable(thrown, redactor);
    log('failed', { error });
    throw error;
  } finally {
    for (const timer of timers) clearTimeout(timer);
  }
}

async function runStep(request: Request & { Step: Step }, invocation: Invocation): Promise<undefined> {
  const { Step: step, SecretId: secret } = request;
  // Printed first, so that a step that was killed is missed; with the zeros, so that no sum is without data.
  const none = { StepsSucceeded: 0, StepsFailed: 0, RotationsSucceeded: 0, FatalFailures: 0 };
  printMetrics(secret, { StepsStarted: 1, ...none }, clock.now());
  try {
    const { run, ports } = await wire(request, invocation);
    await rotationSteps[step](run, ports).catch(async (thrown: unknown) => {
      throw await reportFailure(run, ports, printable(thrown, invocation.redactor));
    });
    printMetrics(secret, { StepsSucceeded: 1, ...(step === 'finishSecret' && { RotationsSucceeded: 1 }) }, clock.now());
  } catch (thrown) {
    const fatal = thrown instanceof RotationError && !thrown.retryable;
    // Given up before, or nothing to adopt: nobody's trouble, however often Secrets Manager tries it again.
    const settled = fatal && thrown.category === 'concurrency' && thrown.pressed !== 'yes';
    const failure = { StepsFailed: 1, ...(fatal && { FatalFailures: 1 }) };
    printMetrics(secret, settled ? { StepsSucceeded: 1 } : failure, clock.now());
    throw thrown;
  }
}

/** Throws nothing: whoever scheduled a preflight reads its report. */
async function answerPreflight(request: Request, invocation: Invocation): Promise<PreflightReport> {
  const { redactor, log } = invocation;
  try {
    const { run, ports, repair } = await wire(request, invocation);
    const { report } = await preflight(run, ports, { repair, record: true });
    log('preflight', { ...report });
    await printPreflightMetrics(request.SecretId, ports, report);
    return JSON.parse(JSON.stringify(report, redactor.replacer)) as PreflightReport;
  } catch (thrown) {
    const error = printable(thrown, redactor);
    log('failed', { error });
    printMetrics(request.SecretId, { PreflightOk: 0 }, clock.now());
    const check = { name: error.category, ok: false, detail: `${error.what}; next: ${error.action}` };
    return { ok: false, checks: [check], drift: false, repairs: [] };
  }
}

const dayMs = 86_400_000;

async function printPreflightMetrics(secret: string, { secrets }: Ports, { ok, checks, drift }: PreflightReport) {
  const now = clock.now();
  // A rotation that succeeds and a value put by hand both create the version that is AWSCURRENT.
  const current = await secrets.read(secret, { label: 'AWSCURRENT' }).catch(() => undefined);
  const age = current && { DaysSinceRotation: (now.getTime() - current.createdAt.getTime()) / dayMs };
  // Who could not look says nothing: a zero would end the alarm.
  const looked = checks.some(({ name }) => name === 'drift') && { Drift: Number(drift) };
  printMetrics(secret, { PreflightOk: Number(ok), ...looked, ...age }, now);
}

/** @throws {RotationError} configuration, where the environment is not valid */
async function wire(request: Request, { context, redactor, log, timeUp, lastCall }: Invocation) {
  const environment = parse(
    environmentSchema,
    process.env,
    invalidInput('the environment', 'set it on the function; infra/ does'),
  );
  const { PORTAL_PROFILE_PARAMETER: parameter, EVIDENCE_BUCKET: bucket, ROTATION_TOPIC_ARN: topic } = environment;
  const { profile, invalid } = await readProfile(parameter);
  const rotation = request.Step === 'preflight' ? undefined : request;
  const run: Run = {
    step: request.Step,
    secretId: request.SecretId,
    token: rotation?.ClientRequestToken ?? '',
    rotationToken: rotation?.RotationToken,
    limits: profile?.times ?? defaultLimits,
    remainingMs: () => context.getRemainingTimeInMillis(),
    signal: timeUp,
  };
  let opened: Portal | undefined;
  const portal: Portal = {
    findings: () => opened?.findings() ?? [],
    async open(account, signal) {
      if (invalid) throw invalid;
      // Loaded where a step opens it: most steps need no browser.
      const { playwrightPortal } = await import('./portal/portal.ts');
      // Set by `npm start -- --headed` only.
      const chromiumPath = process.env.CHROMIUM_PATH;
      const evidence = bucket ? await openBucket(bucket, redactor) : undefined;
      opened = playwrightPortal({ profile, evidence, log, chromiumPath });
      return opened.open(account, signal);
    },
  };
  const ports: Ports = {
    secrets: secretStore(secretsManager, lastCall),
    portal,
    tokens: tokenEndpoint(clock),
    events: eventsOf(request.Step, topic, redactor, lastCall),
    clock,
    log,
    learnSecret: (value) => redactor.learn(value),
  };
  return { run, ports, repair: environment.PREFLIGHT_REPAIRS === 'on' };
}

/** Loaded where a step publishes: half of them do not. */
function eventsOf(step: Request['Step'], topic: string, redactor: Redactor, signal: AbortSignal): EventPublisher {
  const loaded = async () => {
    const { eventPublisher } = await import('./aws/event-publisher.ts');
    return eventPublisher(sdk, topic, clock, redactor, signal);
  };
  let publisher: Promise<EventPublisher> | undefined;
  const load = () => {
    publisher ??= loaded();
    return publisher;
  };
  // While the browser starts: it is not to be waited for with the dialog open.
  if (step === 'createSecret') load().catch(() => undefined);
  return {
    prove: async () => (await load()).prove(),
    publish: async (event) => (await load()).publish(event),
  };
}

async function openBucket(bucket: string, redactor: Redactor): Promise<EvidenceStore> {
  const { AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 = AWS_ENDPOINT_URL } = process.env;
  const { evidenceBucket } = await import('./aws/evidence-bucket.ts');
  const store = evidenceBucket({ ...sdk, forcePathStyle: AWS_ENDPOINT_URL_S3 !== undefined }, bucket);
  return {
    write: (name, body, type) => store.write(name, typeof body === 'string' ? redactor.redact(body) : body, type),
  };
}

/** A profile that cannot be used stands in the way of the portal only: what comes after a press goes on with the default times. */
async function readProfile(parameter: string | undefined) {
  if (!parameter) return {};
  try {
    const [{ readProfileParameter }, { parsePortalProfile }] = await Promise.all([
      import('./aws/profile-parameter.ts'),
      import('./portal/profile.ts'),
    ]);
    return { profile: parsePortalProfile(await readProfileParameter(sdk, parameter)) };
  } catch (invalid) {
    return { invalid };
  }
}

/** An event may carry a RotationToken: of what is wrong the names, never a value. */
const invalidInput = (what: string, action: string) => (wrong: string) =>
  new RotationError({
    category: 'configuration',
    what: `${what} is not valid: ${wrong}`,
    retryable: false,
    pressed: 'no',
    action,
  });

/** An error that may leave: every text of it through the redactor, and without its cause. */
function printable(thrown: unknown, redactor: Redactor): RotationError {
  const action = 'this is a fault of the function: report it with the log of this invocation';
  const error = asRotationError(thrown, { category: 'configuration', retryable: false, pressed: 'unknown', action });
  return error.with({ what: redactor.redact(error.what), action: redactor.redact(error.action), cause: undefined });
}

function correlation(event: unknown, context: Context): Record<string, string> {
  const { Step: step, SecretId: secret, ClientRequestToken: version } = (event ?? {}) as Record<string, unknown>;
  const texts = { step, secret, version, invocation: context.awsRequestId };
  return Object.fromEntries(
    Object.entries(texts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
