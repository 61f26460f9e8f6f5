import { randomUUID } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fault, Intercept, RotationInvocation, RotationOutcome } from '../../local/secrets-manager.ts';
import type { StartProviderOptions } from '../../local/start-provider.ts';
import { temporaryDirectory } from '../../local/temporary-directory.ts';
import { startTestEnvironment, type TestEnvironment } from '../harness.ts';
import type { Call, FaultAtCall, Service } from './faults.ts';
import { Ledger, violations } from './invariants.ts';
import { killTree } from './processes.ts';

/** Which call of a rotation a fault happens to; without an occurrence, to each of them. */
export type Aim = Pick<Call, 'what'> & { occurrence?: number };

export interface FaultyRotationOptions {
  provider?: StartProviderOptions;
  timeoutMs?: number;
  /** Another handler than lambda/'s: a broken one. */
  handler?: string | undefined;
  /** How often Secrets Manager runs a failed rotation again. @default 2 */
  retries?: number;
  /** A service's clock: what is made before the first fault is this old once it has happened. @default an hour */
  hoursLater?: number;
}

/** A provider, services and function whose every call is seen, numbered, and can be made to fail. */
export interface FaultyRotation {
  environment: TestEnvironment;
  ledger: Ledger;
  /** In order, of all invocations. */
  calls: Call[];
  /** The function's, with all that its invocations leave on disk. */
  directory: string;
  /** From now on the fault happens where it is aimed at. */
  aim(at: Aim, fault: FaultAtCall): void;
  /** How often a fault has happened. */
  happened(): number;
  /** No fault happens any more. */
  heal(): void;
  /** Resolves when a call comes, or just after it, with its effect made and before its answer; one that is refused has no such moment. */
  moment(when: 'before' | 'after', what: string, occurrence: number): Promise<void>;
  /** Kills all invocations with their browsers. */
  killAll(): void;
  rotate(token?: string): Promise<RotationOutcome>;
  /** Once faults have stopped: one more rotation where the last has not succeeded, and then all that does not hold. */
  violations(last: RotationOutcome): Promise<string[]>;
  close(): Promise<void>;
}

const hourMs = 3_600_000;

export async function startFaultyRotation(options: FaultyRotationOptions = {}): Promise<FaultyRotation> {
  const { retries = 2, hoursLater = 1 } = options;
  const calls: Call[] = [];
  const ledger = new Ledger();
  const awaited: { when: string; what: string; occurrence: number; resolve(): void }[] = [];
  let aimed: { at: Aim; fault: FaultAtCall; left: number } | undefined;
  let happened = 0;
  const closed = Promise.withResolvers<void>();
  /** What runs, with how often it has made which call. */
  let invocation: { step: string; counts: Map<string, number> } = { step: '', counts: new Map() };
  let environment: TestEnvironment | undefined;

  const killAll = () => {
    for (const { pid } of environment?.fn.running ?? []) if (pid) killTree(pid);
  };
  const later = () => environment?.setClockOffset(0);

  async function happens(when: 'before' | 'after', what: string, occurrence: number): Promise<Fault | undefined> {
    const isIt = (one: (typeof awaited)[number]) =>
      one.when === when && one.what === what && one.occurrence === occurrence;
    for (const one of awaited.filter(isIt)) {
      awaited.splice(awaited.indexOf(one), 1);
      one.resolve();
    }
    if (!aimed || aimed.left === 0 || aimed.fault.when !== when || aimed.at.what !== what) return undefined;
    // Once begun it goes on with the next of the same calls, which are the retries.
    const isFirst = aimed.left === aimed.fault.times;
    if (isFirst && occurrence !== (aimed.at.occurrence ?? occurrence)) return undefined;
    aimed.left -= 1;
    happened += 1;
    later();
    if (aimed.fault.act === 'die') killAll();
    else if (aimed.fault.act === 'hang') await closed.promise;
    else return aimed.fault.act;
    return 'drop';
  }

  const named = (service: Service, operation: string, input: unknown) =>
    `${invocation.step}: ${operation}${detailOf(service, input)}`;
  const hooks = (serviceOf: (operation: string) => Service): { intercept: Intercept; interceptAfter: Intercept } => ({
    async intercept(operation, input) {
      // The test's own calls are made while no invocation runs.
      if (!environment || environment.fn.running.size === 0) return undefined;
      const service = serviceOf(operation);
      const what = named(service, operation, input);
      const occurrence = (invocation.counts.get(what) ?? 0) + 1;
      invocation.counts.set(what, occurrence);
      calls.push({ service, what, occurrence, atMs: performance.now() });
      return happens('before', what, occurrence);
    },
    async interceptAfter(operation, input) {
      const service = serviceOf(operation);
      if (service === 'secrets-manager' && environment) {
        const given = input as Record<string, unknown>;
        if (given.SecretId === environment.secrets.rotated) ledger.wrote(operation, given);
      }
      if (!environment || environment.fn.running.size === 0) return undefined;
      const what = named(service, operation, input);
      const occurrence = invocation.counts.get(what) ?? 1;
      return happens('after', what, occurrence);
    },
  });

  const directory = await temporaryDirectory();
  environment = await startTestEnvironment({
    driven: true,
    endsWithTest: false,
    timeoutMs: options.timeoutMs ?? 300_000,
    environment: { TMPDIR: directory.path, HOME: directory.path, ...(options.handler && { HANDLER: options.handler }) },
    provider: {
      ...options.provider,
      ...hooks((operation) => (operation.includes('machine-to-machine') ? 'token-endpoint' : 'portal')),
    },
    messaging: hooks(() => 'sns'),
    secretsManager: {
      ...hooks((operation) => (operation === 'GetParameter' ? 'ssm' : 'secrets-manager')),
      retries,
      retryDelayMs: 10,
      invoke: async (event: RotationInvocation, signal) => {
        invocation = { step: event.Step, counts: new Map() };
        ledger.token = event.ClientRequestToken;
        return environment?.fn.invoke(event, signal);
      },
    },
  });
  const test = environment;
  await ledger.begin(test);
  test.setClockOffset(-hoursLater * hourMs);

  const world: FaultyRotation = {
    environment: test,
    ledger,
    calls,
    directory: directory.path,
    aim: (at, fault) => {
      aimed = { at, fault, left: fault.times };
    },
    happened: () => happened,
    heal: () => {
      aimed = undefined;
      closed.resolve();
      later();
    },
    moment: (when, what, occurrence) => new Promise((resolve) => awaited.push({ when, what, occurrence, resolve })),
    killAll,
    rotate: (token = randomUUID()) => test.rotate(token),
    async violations(last) {
      world.heal();
      const found: string[] = [];
      if (last !== 'succeeded') {
        const outcome = await oneMoreRotation(test);
        if (outcome !== 'succeeded') found.push(`one more rotation: ${outcome}`);
      }
      return [...found, ...(await violations(test, ledger, directory.path))];
    },
    async close() {
      closed.resolve();
      try {
        await test.end();
      } finally {
        await directory.remove();
      }
    },
  };
  return world;
}

/**
 * Every call of a rotation without a fault: found by recording one, not by a list. Recorded once a run, whose temporary directory all
 * test files share.
 */
export async function recordedCalls(): Promise<Call[]> {
  const path = join(tmpdir(), 'calls-of-a-rotation.json');
  const known = await readFile(path, 'utf8').catch(() => undefined);
  if (known) return JSON.parse(known) as Call[];
  const rotation = await startFaultyRotation();
  try {
    const outcome = await rotation.rotate();
    const calls = [...rotation.calls];
    const broken = await rotation.violations(outcome);
    if (outcome !== 'succeeded' || broken.length > 0)
      throw new Error(`without a fault: ${outcome} ${broken.join('; ')}`);
    await writeFile(path, JSON.stringify(calls));
    return calls;
  } finally {
    await rotation.close();
  }
}

/** RotateSecret once more; where it is refused the service takes up the unfinished rotation by itself. */
async function oneMoreRotation(environment: TestEnvironment): Promise<RotationOutcome> {
  try {
    return await environment.rotate(randomUUID());
  } catch (error) {
    if (!/previous rotation/.test((error as Error).message)) throw error;
    return environment.service.rotationSettled(environment.secrets.rotated);
  }
}

/** What a call is about; nothing of its values. */
function detailOf(service: Service, input: unknown): string {
  const { SecretId, VersionStage, VersionId, Message, Tags } = (input ?? {}) as Record<string, unknown>;
  if (service === 'secrets-manager') {
    const secret = /\/(client|login|bridge)-/.exec(String(SecretId))?.[1] ?? '';
    const which = VersionStage ?? (VersionId ? 'by id' : undefined) ?? (Tags ? 'tags' : undefined);
    return ` ${secret}${which ? ` ${which}` : ''}`;
  }
  const type = /oauth2\.client-secret\.([\w-]+)\.v1/.exec(String(Message))?.[1];
  return type ? ` ${type}` : '';
}
