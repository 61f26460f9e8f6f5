import {
  InvalidParameterException,
  InvalidRequestException,
  LimitExceededException,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManager,
} from '@aws-sdk/client-secrets-manager';
import { ParameterNotFound, SSM } from '@aws-sdk/client-ssm';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  type RotationInvocation,
  type SecretsManagerOptions,
  type ServiceEvent,
  startSecretsManager,
} from '../../local/secrets-manager.ts';

/** A version id that is easy to read: `a` padded to the 32 characters that the service asks for. */
const id = (name: string) => name.padEnd(32, '-');
const RotationLambdaARN = 'arn:aws:lambda:eu-central-1:000000000000:function:rotation';
const SecretId = 'app';

async function start(options: SecretsManagerOptions = {}) {
  const service = await startSecretsManager({ region: 'eu-central-1', retryDelayMs: 0, ...options });
  const config = {
    endpoint: service.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
  };
  const sm = new SecretsManager({ ...config, maxAttempts: 1 });
  onTestFinished(async () => {
    sm.destroy();
    await service.close();
  });
  const labels = async () => (await sm.describeSecret({ SecretId })).VersionIdsToStages;
  return { service, sm, config, labels };
}

/** A service with the secret `app`, whose version `first` is current. */
async function startWithSecret(options: SecretsManagerOptions = {}) {
  const started = await start(options);
  await started.sm.createSecret({ Name: SecretId, ClientRequestToken: id('first'), SecretString: 'one' });
  return started;
}

type Step = (event: RotationInvocation, sm: SecretsManager) => Promise<unknown>;
const store: Step = ({ SecretId, ClientRequestToken }, sm) =>
  sm.putSecretValue({ SecretId, ClientRequestToken, SecretString: 'two', VersionStages: ['AWSPENDING'] });
const finish: Step = async ({ SecretId, ClientRequestToken }, sm) => {
  const { VersionId } = await sm.getSecretValue({ SecretId });
  if (VersionId === ClientRequestToken) return;
  await sm.updateSecretVersionStage({
    SecretId,
    VersionStage: 'AWSCURRENT',
    MoveToVersionId: ClientRequestToken,
    RemoveFromVersionId: VersionId,
  });
};
const fail: Step = () => Promise.reject(new Error('the function failed'));

/** The secret `app` with a rotation function of these steps, by default those of a template; records calls and events. */
async function startRotating(
  steps: Partial<Record<RotationInvocation['Step'], Step>>,
  options: SecretsManagerOptions = {},
) {
  const calls: RotationInvocation[] = [];
  const events: ServiceEvent[] = [];
  const started = await startWithSecret({
    invoke: async (event) => {
      calls.push(event);
      await { createSecret: store, finishSecret: finish, ...steps }[event.Step]?.(event, started.sm);
    },
    ...options,
  });
  started.service.onEvent((event) => events.push(event));
  const rotate = (token: string) =>
    started.sm.rotateSecret({ SecretId, RotationLambdaARN, ClientRequestToken: id(token) });
  const settled = () => started.service.rotationSettled(SecretId);
  const called = () => calls.map((call) => call.Step);
  return { ...started, calls, called, events, rotate, settled };
}

/** A step that waits: `reached` resolves when it is called, `open` lets it end. */
function gate(then: Step = async () => {}) {
  const reached = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const step: Step = async (event, sm) => {
    reached.resolve();
    await opened.promise;
    await then(event, sm);
  };
  return { step, reached: reached.promise, open: () => opened.resolve() };
}

const ALL_STEPS = ['createSecret', 'setSecret', 'testSecret', 'finishSecret'];

describe('a secret', () => {
  test('is named by its name, its ARN, or its ARN without the six random characters', async () => {
    const { sm } = await start();
    const { ARN } = await sm.createSecret({ Name: 'team/app', SecretString: 'one' });
    expect(ARN).toMatch(/^arn:aws:secretsmanager:eu-central-1:000000000000:secret:team\/app-[A-Za-z0-9]{6}$/);
    for (const SecretId of ['team/app', ARN, ARN?.slice(0, -7)]) {
      expect(await sm.getSecretValue({ SecretId })).toMatchObject({ ARN, Name: 'team/app', SecretString: 'one' });
    }
    for (const SecretId of ['team', 'team/app-', ARN?.slice(0, -1), ARN?.slice(0, -8)]) {
      await expect(sm.getSecretValue({ SecretId })).rejects.toThrow(ResourceNotFoundException);
    }
  });

  test('may be created without a value, and then has no version to read', async () => {
    const { sm, labels } = await start();
    expect((await sm.createSecret({ Name: SecretId })).VersionId).toBeUndefined();
    expect(await labels()).toEqual({});
    const read = sm.getSecretValue({ SecretId });
    await expect(read).rejects.toThrow(ResourceNotFoundException);
    await expect(read).rejects.toThrow("can't find the specified secret value for staging label: AWSCURRENT");
  });

  test('is created once: the same request again is idempotent, another is ResourceExistsException', async () => {
    const { sm } = await start();
    const request = { Name: SecretId, ClientRequestToken: id('first'), SecretString: 'one' };
    const { $metadata: _, ...created } = await sm.createSecret(request);
    expect(await sm.createSecret(request)).toMatchObject(created);
    for (const other of [{ SecretString: 'two' }, { ClientRequestToken: id('other') }, { SecretString: undefined }]) {
      await expect(sm.createSecret({ ...request, ...other })).rejects.toThrow(ResourceExistsException);
    }
  });

  test('keeps tags until they are removed', async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: SecretId, Tags: [{ Key: 'team', Value: 'a' }] });
    await sm.tagResource({
      SecretId,
      Tags: [
        { Key: 'team', Value: 'b' },
        { Key: 'preflight', Value: 'ok' },
      ],
    });
    await sm.untagResource({ SecretId, TagKeys: ['team'] });
    expect((await sm.describeSecret({ SecretId })).Tags).toEqual([{ Key: 'preflight', Value: 'ok' }]);
  });

  test('that is marked for deletion can be described and restored, nothing else, until its recovery window ends', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    const { sm } = await startWithSecret({ now: () => now });
    const { DeletionDate } = await sm.deleteSecret({ SecretId, RecoveryWindowInDays: 7 });
    expect(DeletionDate).toEqual(new Date('2026-01-08T00:00:00Z'));
    expect((await sm.describeSecret({ SecretId })).DeletedDate).toEqual(DeletionDate);
    for (const refused of [
      () => sm.getSecretValue({ SecretId }),
      () => sm.putSecretValue({ SecretId, SecretString: 'two' }),
      () => sm.rotateSecret({ SecretId, RotationLambdaARN }),
      () => sm.deleteSecret({ SecretId }),
      () => sm.createSecret({ Name: SecretId }),
    ]) {
      await expect(refused()).rejects.toThrow(InvalidRequestException);
    }
    await sm.restoreSecret({ SecretId });
    expect((await sm.getSecretValue({ SecretId })).SecretString).toBe('one');

    await sm.deleteSecret({ SecretId });
    now = new Date('2026-02-01T00:00:00Z');
    await expect(sm.describeSecret({ SecretId })).rejects.toThrow(ResourceNotFoundException);
  });

  test('can be deleted at once by force, and again, though not with a recovery window too', async () => {
    const { sm } = await startWithSecret();
    const both = { SecretId, ForceDeleteWithoutRecovery: true, RecoveryWindowInDays: 7 };
    await expect(sm.deleteSecret(both)).rejects.toThrow(InvalidParameterException);
    await expect(sm.deleteSecret({ SecretId, RecoveryWindowInDays: 6 })).rejects.toThrow(InvalidParameterException);
    await sm.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true });
    await expect(sm.describeSecret({ SecretId })).rejects.toThrow(ResourceNotFoundException);
    await sm.deleteSecret({ SecretId, ForceDeleteWithoutRecovery: true });
    await expect(sm.deleteSecret({ SecretId })).rejects.toThrow(ResourceNotFoundException);
    await sm.createSecret({ Name: SecretId });
  });
});

describe('a value', () => {
  test('is immutable under its token: the same again changes nothing, another is ResourceExistsException', async () => {
    const { sm, labels } = await startWithSecret();
    const token = { SecretId, ClientRequestToken: id('second'), VersionStages: ['AWSPENDING'] };
    const put = await sm.putSecretValue({ ...token, SecretString: 'two' });
    expect(put).toMatchObject({ VersionId: id('second'), VersionStages: ['AWSPENDING'] });
    await expect(sm.putSecretValue({ ...token, SecretString: 'three' })).rejects.toThrow(ResourceExistsException);
    await expect(sm.putSecretValue({ ...token, SecretBinary: Buffer.from('two') })).rejects.toThrow(
      ResourceExistsException,
    );

    const again = await sm.putSecretValue({ ...token, SecretString: 'two', VersionStages: ['AWSCURRENT'] });
    expect(again.VersionStages).toEqual(['AWSPENDING']);
    expect(await labels()).toEqual({ [id('first')]: ['AWSCURRENT'], [id('second')]: ['AWSPENDING'] });
    expect((await sm.getSecretValue({ SecretId, VersionId: id('second') })).SecretString).toBe('two');
  });

  test('is text or binary, one of them, of at most 65,536 bytes; a refusal never repeats it', async () => {
    const { sm } = await startWithSecret();
    const SecretBinary = Buffer.alloc(65_536, 7);
    await sm.putSecretValue({ SecretId, SecretBinary });
    expect(Buffer.from((await sm.getSecretValue({ SecretId })).SecretBinary ?? [])).toEqual(SecretBinary);
    await sm.putSecretValue({ SecretId, SecretString: 'ü'.repeat(32_768) });

    const tooLong = sm.putSecretValue({ SecretId, SecretString: `${'ü'.repeat(32_768)}x` });
    await expect(tooLong).rejects.toThrow(InvalidParameterException);
    await expect(tooLong).rejects.not.toThrow('üü');
    await expect(sm.putSecretValue({ SecretId, SecretBinary: Buffer.alloc(65_537) })).rejects.toThrow(
      InvalidParameterException,
    );
    await expect(sm.putSecretValue({ SecretId, SecretString: 'two', SecretBinary })).rejects.toThrow(
      InvalidParameterException,
    );
    await expect(sm.putSecretValue({ SecretId })).rejects.toThrow(InvalidRequestException);
  });

  test.each([31, 65])('is refused under a ClientRequestToken of %i characters', async (length) => {
    const { sm } = await startWithSecret();
    const refused = sm.putSecretValue({ SecretId, SecretString: 'two', ClientRequestToken: 'x'.repeat(length) });
    await expect(refused).rejects.toThrow(InvalidParameterException);
    await expect(refused).rejects.toThrow('ClientRequestToken');
  });

  test('is read by label, by version, or by both where they agree', async () => {
    const { sm } = await startWithSecret();
    const { CreatedDate, ...first } = await sm.getSecretValue({
      SecretId,
      VersionId: id('first'),
      VersionStage: 'AWSCURRENT',
    });
    expect(first).toMatchObject({ VersionId: id('first'), VersionStages: ['AWSCURRENT'], SecretString: 'one' });
    expect(Math.abs(Date.now() - (CreatedDate?.getTime() ?? 0))).toBeLessThan(60_000);

    const mismatch = sm.getSecretValue({ SecretId, VersionId: id('first'), VersionStage: 'AWSPENDING' });
    await expect(mismatch).rejects.toThrow(InvalidRequestException);
    const noLabel = sm.getSecretValue({ SecretId, VersionStage: 'AWSPENDING' });
    await expect(noLabel).rejects.toThrow(ResourceNotFoundException);
    await expect(noLabel).rejects.toThrow("can't find the specified secret value for staging label: AWSPENDING");
    const noVersion = sm.getSecretValue({ SecretId, VersionId: id('second') });
    await expect(noVersion).rejects.toThrow(ResourceNotFoundException);
    await expect(noVersion).rejects.toThrow(`for VersionId: ${id('second')}`);
  });
});

describe('staging labels', () => {
  test('without VersionStages a value becomes AWSCURRENT, the one before AWSPREVIOUS, the one before that nothing', async () => {
    const { sm, labels } = await startWithSecret();
    await sm.putSecretValue({ SecretId, ClientRequestToken: id('second'), SecretString: 'two' });
    await sm.putSecretValue({ SecretId, ClientRequestToken: id('third'), SecretString: 'three' });
    expect(await labels()).toEqual({ [id('second')]: ['AWSPREVIOUS'], [id('third')]: ['AWSCURRENT'] });
  });

  test('given VersionStages move from wherever they are; an empty list is refused', async () => {
    const { sm, labels } = await startWithSecret();
    const put = (token: string, VersionStages: string[]) =>
      sm.putSecretValue({ SecretId, ClientRequestToken: id(token), SecretString: token, VersionStages });
    await put('second', ['MINE', 'AWSPENDING']);
    await put('third', ['MINE']);
    expect(await labels()).toEqual({
      [id('first')]: ['AWSCURRENT'],
      [id('second')]: ['AWSPENDING'],
      [id('third')]: ['MINE'],
    });
    await expect(put('fourth', [])).rejects.toThrow(InvalidParameterException);
  });

  test('the first version of a secret gets AWSCURRENT whatever is asked for', async () => {
    const { sm } = await start();
    await sm.createSecret({ Name: SecretId });
    const { VersionStages } = await sm.putSecretValue({ SecretId, SecretString: 'one', VersionStages: ['AWSPENDING'] });
    expect(VersionStages).toEqual(['AWSPENDING', 'AWSCURRENT']);
  });

  test('are at most 20 on a secret, and a request for more changes nothing', async () => {
    const { sm, labels } = await startWithSecret();
    const names = (count: number) => Array.from({ length: count }, (_, index) => `L${index}`);
    const put = (count: number) => sm.putSecretValue({ SecretId, SecretString: 'two', VersionStages: names(count) });
    await expect(put(21)).rejects.toThrow(InvalidParameterException);
    await expect(put(20)).rejects.toThrow(LimitExceededException);
    expect(await labels()).toEqual({ [id('first')]: ['AWSCURRENT'] });
    await put(19);
    const move = { SecretId, VersionStage: 'L19', MoveToVersionId: id('first') };
    await expect(sm.updateSecretVersionStage(move)).rejects.toThrow(LimitExceededException);
    // AWSPREVIOUS would be the 21st.
    await expect(sm.putSecretValue({ SecretId, SecretString: 'three' })).rejects.toThrow(LimitExceededException);
  });

  test('moving AWSCURRENT back makes the version that it leaves AWSPREVIOUS', async () => {
    const { sm, labels } = await startWithSecret();
    await sm.putSecretValue({ SecretId, ClientRequestToken: id('second'), SecretString: 'two' });
    await sm.updateSecretVersionStage({
      SecretId,
      VersionStage: 'AWSCURRENT',
      RemoveFromVersionId: id('second'),
      MoveToVersionId: id('first'),
    });
    expect(await labels()).toEqual({ [id('first')]: ['AWSCURRENT'], [id('second')]: ['AWSPREVIOUS'] });
  });

  test('are moved only by a request that names the version they are on', async () => {
    const { sm, labels } = await startWithSecret();
    await sm.putSecretValue({
      SecretId,
      ClientRequestToken: id('second'),
      SecretString: 'two',
      VersionStages: ['MINE'],
    });
    const before = await labels();
    const update = (VersionStage: string, RemoveFromVersionId?: string, MoveToVersionId?: string) =>
      sm.updateSecretVersionStage({ SecretId, VersionStage, RemoveFromVersionId, MoveToVersionId });

    await expect(update('MINE', undefined, id('first'))).rejects.toThrow("RemoveFromVersionId can't be empty");
    await expect(update('MINE', id('first'), id('first'))).rejects.toThrow(InvalidParameterException);
    await expect(update('OTHER', id('first'))).rejects.toThrow(InvalidParameterException);
    await expect(update('MINE')).rejects.toThrow(InvalidParameterException);
    await expect(update('MINE', id('second'), id('third'))).rejects.toThrow(ResourceNotFoundException);
    await expect(update('AWSCURRENT', id('first'))).rejects.toThrow(InvalidParameterException);
    expect(await labels()).toEqual(before);

    await update('MINE', undefined, id('second'));
    expect(await labels()).toEqual(before);
    await update('MINE', id('second'), id('first'));
    await update('NEW', undefined, id('first'));
    await update('MINE', id('first'));
    expect(await labels()).toEqual({ [id('first')]: ['AWSCURRENT', 'NEW'] });
  });

  test('a version without any is not described, and listed only as deprecated, page by page', async () => {
    const { sm, labels } = await startWithSecret();
    for (const token of ['second', 'third', 'fourth']) {
      await sm.putSecretValue({ SecretId, ClientRequestToken: id(token), SecretString: token });
    }
    expect(Object.keys((await labels()) ?? {})).toEqual([id('third'), id('fourth')]);
    const list = async (NextToken?: string) => {
      const page = await sm.listSecretVersionIds({ SecretId, IncludeDeprecated: true, MaxResults: 3, NextToken });
      return { ids: page.Versions?.map(({ VersionId }) => VersionId), next: page.NextToken };
    };
    const first = await list();
    expect(first.ids).toEqual([id('first'), id('second'), id('third')]);
    expect(await list(first.next)).toEqual({ ids: [id('fourth')], next: undefined });
    await expect(list('no such page')).rejects.toMatchObject({ name: 'InvalidNextTokenException' });

    const labelled = await sm.listSecretVersionIds({ SecretId });
    expect(labelled.Versions?.map(({ VersionStages }) => VersionStages)).toEqual([['AWSPREVIOUS'], ['AWSCURRENT']]);
    expect(labelled.Versions?.[0]?.CreatedDate).toBeInstanceOf(Date);
  });

  test('versions without any are removed beyond a hundred, oldest first, none younger than 24 hours', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    const { sm } = await startWithSecret({ now: () => now });
    const put = (token: string) => sm.putSecretValue({ SecretId, ClientRequestToken: id(token), SecretString: token });
    const ids = async () => {
      const page = { SecretId, IncludeDeprecated: true, MaxResults: 100 };
      const { Versions = [], NextToken } = await sm.listSecretVersionIds(page);
      const rest = NextToken ? await sm.listSecretVersionIds({ ...page, NextToken }) : undefined;
      return [...Versions, ...(rest?.Versions ?? [])].map(({ VersionId }) => VersionId);
    };
    await sm.updateSecretVersionStage({ SecretId, VersionStage: 'KEPT', MoveToVersionId: id('first') });
    await Promise.all(Array.from({ length: 109 }, (_, index) => put(`v${index}`)));
    expect(await ids()).toHaveLength(110);

    now = new Date('2026-01-02T00:00:00Z');
    await put('last');
    const left = await ids();
    expect(left).toHaveLength(100);
    expect(left[0]).toBe(id('first'));
    expect(left.at(-1)).toBe(id('last'));
  });
});

describe('RotateSecret', () => {
  test('answers before the function has run, with a version that has AWSPENDING and no value yet', async () => {
    const create = gate(store);
    const { sm, rotate, settled, labels, called } = await startRotating({ createSecret: create.step });
    expect(await rotate('second')).toMatchObject({ Name: SecretId, VersionId: id('second') });
    await create.reached;
    expect(await labels()).toEqual({ [id('first')]: ['AWSCURRENT'], [id('second')]: ['AWSPENDING'] });
    const read = sm.getSecretValue({ SecretId, VersionId: id('second'), VersionStage: 'AWSPENDING' });
    await expect(read).rejects.toThrow(ResourceNotFoundException);
    create.open();
    expect(await settled()).toBe('succeeded');
    expect(called()).toEqual(ALL_STEPS);
  });

  test('runs the four steps under one token, clears AWSPENDING and tells when it rotated', async () => {
    const now = new Date('2026-01-01T00:00:00Z');
    const { sm, calls, called, events, settled, labels } = await startRotating({}, { now: () => now });
    const { ARN, VersionId } = await sm.rotateSecret({
      SecretId,
      RotationLambdaARN,
      RotationRules: { AutomaticallyAfterDays: 30 },
    });
    expect(await settled()).toBe('succeeded');
    expect(called()).toEqual(ALL_STEPS);
    for (const call of calls) {
      expect(call).toMatchObject({ SecretId: ARN, ClientRequestToken: VersionId });
      expect(call.RotationToken).toMatch(/^[\w-]{36,256}$/);
    }
    expect(events).toMatchObject([
      { type: 'RotationStarted', secretArn: ARN, versionId: VersionId, at: now },
      { type: 'RotationSucceeded', secretArn: ARN, versionId: VersionId, at: now },
    ]);
    expect(await labels()).toEqual({ [id('first')]: ['AWSPREVIOUS'], [VersionId ?? '']: ['AWSCURRENT'] });
    expect(await sm.describeSecret({ SecretId })).toMatchObject({
      RotationEnabled: true,
      RotationLambdaARN,
      RotationRules: { AutomaticallyAfterDays: 30 },
      LastRotatedDate: now,
      NextRotationDate: new Date('2026-01-31T00:00:00Z'),
    });
  });

  test('needs the ARN of a function once, and one schedule at most', async () => {
    const { sm, rotate, settled } = await startRotating({});
    await expect(sm.rotateSecret({ SecretId })).rejects.toThrow(InvalidRequestException);
    const RotationRules = { AutomaticallyAfterDays: 1, ScheduleExpression: 'rate(1 day)' };
    await expect(sm.rotateSecret({ SecretId, RotationLambdaARN, RotationRules })).rejects.toThrow(
      InvalidParameterException,
    );
    const described = await sm.describeSecret({ SecretId });
    expect(described).not.toHaveProperty('RotationEnabled');
    await rotate('second');
    await settled();
    await sm.rotateSecret({ SecretId });
    expect(await settled()).toBe('succeeded');
  });

  test('the next rotation is due one interval after the last one, a value set by hand included', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    const { sm, settled } = await startRotating({}, { now: () => now });
    const next = async () => (await sm.describeSecret({ SecretId })).NextRotationDate;
    await sm.rotateSecret({ SecretId, RotationLambdaARN, RotationRules: { ScheduleExpression: 'rate(12 hours)' } });
    await settled();
    expect(await next()).toEqual(new Date('2026-01-01T12:00:00Z'));
    now = new Date('2026-01-01T06:00:00Z');
    await sm.putSecretValue({ SecretId, SecretString: 'by hand' });
    expect(await next()).toEqual(new Date('2026-01-01T18:00:00Z'));
  });

  test("leaves AWSPENDING on AWSCURRENT's version where that is asked for, and rotates again all the same", async () => {
    const { rotate, settled, labels } = await startRotating({}, { leavesPendingBehind: true });
    await rotate('second');
    await settled();
    expect(await labels()).toMatchObject({ [id('second')]: ['AWSPENDING', 'AWSCURRENT'] });
    await rotate('third');
    expect(await settled()).toBe('succeeded');
    expect(await labels()).toMatchObject({ [id('third')]: ['AWSPENDING', 'AWSCURRENT'] });
  });

  test('runs a failed rotation again as a whole under the same token, then leaves AWSPENDING on its empty version', async () => {
    const { sm, calls, called, events, rotate, settled, labels } = await startRotating(
      { createSecret: fail },
      { retries: 2 },
    );
    await rotate('second');
    expect(await settled()).toBe('failed');
    expect(called()).toEqual(['createSecret', 'createSecret', 'createSecret']);
    expect(new Set(calls.map((call) => call.ClientRequestToken))).toEqual(new Set([id('second')]));
    expect(events.map((event) => event.type)).toEqual(['RotationStarted', 'RotationFailed']);
    expect(events[1]?.reason).toBe('the function failed');
    expect(await labels()).toMatchObject({ [id('second')]: ['AWSPENDING'] });
    await expect(sm.getSecretValue({ SecretId, VersionStage: 'AWSPENDING' })).rejects.toThrow(
      ResourceNotFoundException,
    );
    expect((await sm.describeSecret({ SecretId })).LastRotatedDate).toBeUndefined();
  });

  test('starts again at createSecret when a later step fails, and succeeds when that passes', async () => {
    let failures = 1;
    const testSecret: Step = async (...args) => (failures-- > 0 ? fail(...args) : undefined);
    const { called, rotate, settled } = await startRotating({ testSecret });
    await rotate('second');
    expect(await settled()).toBe('succeeded');
    expect(called()).toEqual(['createSecret', 'setSecret', 'testSecret', ...ALL_STEPS]);
  });

  test('refuses while an earlier rotation is unfinished, and takes that one up again under its own token', async () => {
    let broken = true;
    const createSecret: Step = (...args) => (broken ? fail : store)(...args);
    const { calls, rotate, settled, labels } = await startRotating({ createSecret }, { retries: 0 });
    await rotate('second');
    await settled();
    broken = false;
    calls.length = 0;
    const refused = rotate('third');
    await expect(refused).rejects.toThrow(InvalidRequestException);
    await expect(refused).rejects.toThrow("A previous rotation isn't complete. That rotation will be reattempted.");
    expect(await settled()).toBe('succeeded');
    expect(new Set(calls.map((call) => call.ClientRequestToken))).toEqual(new Set([id('second')]));
    expect(await labels()).toEqual({ [id('first')]: ['AWSPREVIOUS'], [id('second')]: ['AWSCURRENT'] });
  });

  test('while a rotation runs the same token is answered as before and another refused, without a second run', async () => {
    const create = gate(store);
    const { called, rotate, settled } = await startRotating({ createSecret: create.step });
    await rotate('second');
    await create.reached;
    expect(await rotate('second')).toMatchObject({ VersionId: id('second') });
    await expect(rotate('third')).rejects.toThrow(InvalidRequestException);
    create.open();
    expect(await settled()).toBe('succeeded');
    expect(await rotate('second')).toMatchObject({ VersionId: id('second') });
    expect(called()).toEqual(ALL_STEPS);
  });

  test('a finishSecret that leaves AWSPENDING elsewhere than AWSCURRENT has failed', async () => {
    const { events, rotate, settled } = await startRotating({ finishSecret: async () => {} }, { retries: 0 });
    await rotate('second');
    expect(await settled()).toBe('failed');
    expect(events.at(-1)?.reason).toContain('AWSPENDING');
  });

  test('a function that takes AWSPENDING off its version and fails does not block the next rotation', async () => {
    const giveUp: Step = async (event, sm) => {
      await sm.updateSecretVersionStage({
        SecretId,
        VersionStage: 'AWSPENDING',
        RemoveFromVersionId: event.ClientRequestToken,
      });
      throw new Error('superseded');
    };
    const steps = { testSecret: giveUp };
    const { rotate, settled, labels } = await startRotating(steps, { retries: 0 });
    await rotate('second');
    expect(await settled()).toBe('failed');
    steps.testSecret = async () => {};
    await rotate('third');
    expect(await settled()).toBe('succeeded');
    expect(await labels()).toEqual({ [id('first')]: ['AWSPREVIOUS'], [id('third')]: ['AWSCURRENT'] });
  });

  test('a new rotation ends one that is still being retried without AWSPENDING', async () => {
    const retried = gate();
    let attempts = 0;
    const { sm, calls, rotate, settled } = await startRotating({
      createSecret: async (event, client) => {
        attempts += 1;
        await ([fail, retried.step][attempts - 1] ?? store)(event, client);
      },
    });
    await rotate('second');
    await retried.reached;
    await sm.updateSecretVersionStage({ SecretId, VersionStage: 'AWSPENDING', RemoveFromVersionId: id('second') });
    const former = settled();
    await rotate('third');
    expect(await settled()).toBe('succeeded');
    retried.open();
    expect(await former).toBe('abandoned');
    expect(calls.filter((call) => call.ClientRequestToken === id('second'))).toHaveLength(2);
  });

  test('fails a rotation whose pending version got its value from somebody other than the function', async () => {
    const { sm, called, events, rotate, settled } = await startRotating({ createSecret: fail }, { retries: 0 });
    await rotate('second');
    await settled();
    await sm.putSecretValue({
      SecretId,
      ClientRequestToken: id('second'),
      SecretString: 'by hand',
      VersionStages: ['AWSPENDING'],
    });
    await expect(rotate('third')).rejects.toThrow(InvalidRequestException);
    expect(await settled()).toBe('failed');
    expect(called()).toEqual(['createSecret']);
    expect(events.at(-1)?.reason).toMatch(/^Pending secret version .* was not created by Lambda/);
  });

  test("takes a value that a late run of the function puts, known by its RotationToken, for the function's", async () => {
    const { sm, calls, called, rotate, settled } = await startRotating({ createSecret: fail }, { retries: 0 });
    await rotate('second');
    await settled();
    const { ClientRequestToken, RotationToken } = calls[0] ?? {};
    const late = { SecretId, ClientRequestToken, RotationToken, SecretString: 'late', VersionStages: ['AWSPENDING'] };
    await sm.putSecretValue(late);
    await expect(rotate('third')).rejects.toThrow(InvalidRequestException);
    await settled();
    expect(called()).toEqual(['createSecret', 'createSecret']);
  });

  test('a version made by hand abandons a running rotation: AWSPENDING is taken away, no further step runs', async () => {
    const set = gate();
    const { sm, called, events, rotate, settled, labels } = await startRotating({ setSecret: set.step });
    await rotate('second');
    await set.reached;
    await sm.putSecretValue({
      SecretId,
      ClientRequestToken: id('hand'),
      SecretString: 'by hand',
      VersionStages: ['MINE'],
    });
    expect(await labels()).toEqual({ [id('first')]: ['AWSCURRENT'], [id('hand')]: ['MINE'] });
    expect(events.map((event) => event.type)).toEqual(['RotationStarted', 'RotationAbandoned']);
    set.open();
    expect(await settled()).toBe('abandoned');
    expect(called()).toEqual(['createSecret', 'setSecret']);
    await rotate('third');
    expect(await settled()).toBe('succeeded');
  });

  test('a put that changes nothing makes no version and abandons nothing', async () => {
    const set = gate();
    const { sm, rotate, settled } = await startRotating({ setSecret: set.step });
    await rotate('second');
    await set.reached;
    await sm.putSecretValue({ SecretId, ClientRequestToken: id('first'), SecretString: 'one' });
    set.open();
    expect(await settled()).toBe('succeeded');
  });

  test('with RotateImmediately false only tests, on a copy of AWSCURRENT that is gone afterwards', async () => {
    const tested = gate();
    const { sm, called, events, settled, labels } = await startRotating({ testSecret: tested.step });
    const { VersionId } = await sm.rotateSecret({ SecretId, RotationLambdaARN, RotateImmediately: false });
    await tested.reached;
    const copy = await sm.getSecretValue({ SecretId, VersionStage: 'AWSPENDING' });
    expect(copy).toMatchObject({ VersionId, SecretString: 'one' });
    tested.open();
    expect(await settled()).toBe('succeeded');
    expect(called()).toEqual(['testSecret']);
    expect(await labels()).toEqual({ [id('first')]: ['AWSCURRENT'] });
    expect(events).toEqual([]);
    const { RotationEnabled, LastRotatedDate } = await sm.describeSecret({ SecretId });
    expect({ RotationEnabled, LastRotatedDate }).toEqual({ RotationEnabled: true, LastRotatedDate: undefined });
  });

  test('a failed test of the configuration is told, and leaves no version behind', async () => {
    const { sm, called, events, settled, labels } = await startRotating({ testSecret: fail });
    await sm.rotateSecret({ SecretId, RotationLambdaARN, RotateImmediately: false });
    expect(await settled()).toBe('failed');
    expect(called()).toEqual(['testSecret']);
    expect(events).toMatchObject([{ type: 'TestRotationFailed', reason: 'the function failed' }]);
    expect(await labels()).toEqual({ [id('first')]: ['AWSCURRENT'] });
  });

  test('CancelRotateSecret ends a running rotation and leaves AWSPENDING, which blocks others until it is removed', async () => {
    const set = gate();
    const { sm, called, rotate, settled, labels } = await startRotating({ setSecret: set.step });
    await expect(sm.cancelRotateSecret({ SecretId })).rejects.toThrow(InvalidRequestException);
    await rotate('second');
    await set.reached;
    expect(await sm.cancelRotateSecret({ SecretId })).toMatchObject({ VersionId: id('second') });
    set.open();
    expect(await settled()).toBe('abandoned');
    expect(called()).toEqual(['createSecret', 'setSecret']);
    expect(await labels()).toMatchObject({ [id('second')]: ['AWSPENDING'] });

    await expect(rotate('third')).rejects.toThrow(InvalidRequestException);
    await sm.updateSecretVersionStage({ SecretId, VersionStage: 'AWSPENDING', RemoveFromVersionId: id('second') });
    await rotate('third');
    expect(await settled()).toBe('succeeded');
    expect(called()).toEqual(['createSecret', 'setSecret', ...ALL_STEPS]);
  });

  test('CancelRotateSecret keeps the configuration, while the dates of rotation are no longer told', async () => {
    const { sm, settled } = await startRotating({});
    const RotationRules = { AutomaticallyAfterDays: 30 };
    await sm.rotateSecret({ SecretId, RotationLambdaARN, RotationRules });
    await settled();
    await sm.cancelRotateSecret({ SecretId });
    const described = await sm.describeSecret({ SecretId });
    expect(described).toMatchObject({ RotationEnabled: false, RotationLambdaARN, RotationRules });
    expect(described).not.toHaveProperty('LastRotatedDate');
    expect(described).not.toHaveProperty('NextRotationDate');
  });

  test('a function that never ends does not keep the service from closing, and is told to stop', async () => {
    const invoked = Promise.withResolvers<AbortSignal>();
    const { sm, service } = await startWithSecret({
      invoke: (_, signal) => {
        invoked.resolve(signal);
        return new Promise(() => {});
      },
    });
    await sm.rotateSecret({ SecretId, RotationLambdaARN });
    const settled = service.rotationSettled(SecretId);
    const signal = await invoked.promise;
    await service.close();
    expect(signal.aborted).toBe(true);
    expect(await settled).toBe('abandoned');
  });
});

describe('the protocol', () => {
  test('refuses an operation or a parameter that is not emulated by its name', async () => {
    const { sm } = await startWithSecret();
    const unknown = sm.listSecrets({});
    await expect(unknown).rejects.toMatchObject({
      name: 'UnknownOperationException',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(unknown).rejects.toThrow('ListSecrets');
    const refused = sm.createSecret({ Name: 'other', AddReplicaRegions: [{ Region: 'eu-west-1' }] });
    await expect(refused).rejects.toThrow(InvalidParameterException);
    await expect(refused).rejects.toThrow('AddReplicaRegions');
  });

  test('refuses a body that is not JSON', async () => {
    const { service } = await start();
    const headers = { 'x-amz-target': 'secretsmanager.DescribeSecret' };
    const answer = await fetch(service.url, { method: 'POST', headers, body: 'SecretId=app' });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ __type: 'SerializationException' });
  });

  test('listens on 127.0.0.1 alone', async () => {
    const { service } = await start();
    const elsewhere = service.url.replace('127.0.0.1', '127.0.0.2');
    await expect(fetch(elsewhere, { signal: AbortSignal.timeout(2_000) })).rejects.toThrow();
  });

  test('keeps a log of requests that holds no secret', async () => {
    const { sm, service } = await startWithSecret();
    await sm.getSecretValue({ SecretId });
    expect(service.requests.map(({ operation }) => operation)).toEqual(['CreateSecret', 'GetSecretValue']);
    expect(JSON.stringify(service.requests)).not.toContain('one');
  });

  test('serves SSM parameters too, and ParameterNotFound', async () => {
    const { service, config } = await start();
    const ssm = new SSM(config);
    service.parameters.set('/portal/profile', '{}');
    const { Parameter } = await ssm.getParameter({ Name: '/portal/profile', WithDecryption: true });
    expect(Parameter).toMatchObject({ Name: '/portal/profile', Value: '{}', Type: 'String' });
    await expect(ssm.getParameter({ Name: '/other' })).rejects.toThrow(ParameterNotFound);
  });
});

describe('faults', () => {
  test('one before an operation leaves no effect, and the SDK retries what it retries in production', async () => {
    const left = [{ status: 400, type: 'ThrottlingException', message: 'Rate exceeded' }, 'drop' as const];
    const { service, sm, config } = await startWithSecret({
      intercept: async (operation) => (operation === 'PutSecretValue' ? left.shift() : undefined),
    });
    await expect(sm.putSecretValue({ SecretId, SecretString: 'two' })).rejects.toMatchObject({
      name: 'ThrottlingException',
    });
    expect((await sm.getSecretValue({ SecretId })).SecretString).toBe('one');

    const retrying = new SecretsManager(config);
    await retrying.putSecretValue({ SecretId, SecretString: 'two' });
    retrying.destroy();
    expect((await sm.getSecretValue({ SecretId })).SecretString).toBe('two');
    expect(service.requests.filter(({ operation }) => operation === 'PutSecretValue')).toHaveLength(3);
  });

  test('one after an operation hides an effect that took place, so that the same put again is idempotent', async () => {
    const left = ['drop' as const, { status: 500, type: 'InternalServiceError', message: 'Try again' }];
    const { sm } = await startWithSecret({
      interceptAfter: async (operation) => (operation === 'PutSecretValue' ? left.shift() : undefined),
    });
    const put = () => sm.putSecretValue({ SecretId, ClientRequestToken: id('second'), SecretString: 'two' });
    await expect(put()).rejects.toThrow(/socket|ECONNRESET/);
    expect((await sm.getSecretValue({ SecretId })).VersionId).toBe(id('second'));
    await expect(put()).rejects.toMatchObject({ name: 'InternalServiceError', $metadata: { httpStatusCode: 500 } });
    expect(await put()).toMatchObject({ VersionId: id('second') });
  });

  test('with a read lag a write is accepted at once and seen later', async () => {
    let now = new Date('2026-01-01T00:00:00Z');
    const { sm, labels } = await startWithSecret({ now: () => now, readLagMs: 1_000 });
    await expect(labels()).rejects.toThrow(ResourceNotFoundException);
    now = new Date('2026-01-01T00:00:02Z');
    const second = { SecretId, ClientRequestToken: id('second'), SecretString: 'two' };
    await sm.putSecretValue(second);
    expect((await sm.getSecretValue({ SecretId })).SecretString).toBe('one');
    expect(await labels()).toEqual({ [id('first')]: ['AWSCURRENT'] });
    await expect(sm.putSecretValue({ ...second, SecretString: 'three' })).rejects.toThrow(ResourceExistsException);
    now = new Date('2026-01-01T00:00:03Z');
    expect((await sm.getSecretValue({ SecretId })).SecretString).toBe('two');
  });
});
