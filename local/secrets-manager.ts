import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type HttpBindings } from '@hono/node-server';
import { Hono } from 'hono';
import { z } from 'zod';
import {
  type RotationOptions,
  type RotationOutcome,
  type ServiceEvent,
  startRotations,
} from './secrets-manager-rotation.ts';
import {
  assertRoomFor,
  attach,
  invalidParameter,
  invalidRequest,
  isNamedBy,
  moveLabel,
  notFound,
  pendingVersion,
  prune,
  readVersion,
  resourceExists,
  type Secret,
  type SecretValue,
  ServiceError,
  secretArn,
  type Version,
} from './secrets-manager-versions.ts';

export type { RotationInvocation, RotationOutcome, ServiceEvent } from './secrets-manager-rotation.ts';

/** What a hook answers in place of the service: an error of any status, or a connection that breaks off. */
export type Fault = 'drop' | { status: number; type: string; message: string; headers?: Record<string, string> };
export type Intercept = (operation: string, input: unknown) => Promise<Fault | undefined>;

export type SecretsManagerOptions = RotationOptions & {
  /** In the ARNs of new secrets. Default `us-east-1`; the account is 000000000000. */
  region?: string;
  /** Default: the machine's clock. */
  now?: () => Date;
  /** For so long reads (GetSecretValue, DescribeSecret, ListSecretVersionIds) answer with the state before a write. */
  readLagMs?: number;
  /** Called before an operation; a fault is answered and the operation has no effect. `input` holds secrets. */
  intercept?: Intercept;
  /** Called after an operation succeeded; a fault is answered although the operation had its effect. */
  interceptAfter?: Intercept;
};

export type LocalSecretsManager = {
  /** For `endpoint` or `AWS_ENDPOINT_URL_SECRETS_MANAGER` and `AWS_ENDPOINT_URL_SSM`. */
  url: string;
  /** SSM parameters by name. */
  parameters: Map<string, string>;
  /** The region of the primary secret, by the ARN of a secret that is its replica: told by DescribeSecret, and nothing more. */
  primaryRegions: Map<string, string>;
  /** Every request, in order, without its input. */
  requests: { operation: string; at: Date }[];
  /** Calls `listener` for what the real service writes to CloudTrail; answers the function that ends this. */
  onEvent(listener: (event: ServiceEvent) => void): () => void;
  /** How the latest rotation of the secret (name or ARN), or test of one, ends. Rejects where none was started. */
  rotationSettled(secretId: string): Promise<RotationOutcome>;
  /** Ends running rotations as abandoned and all connections. */
  close(): Promise<void>;
};

const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_VALUE_BYTES = 65_536;

const secretId = z.string().min(1).max(2048);
const versionId = z.string().min(32).max(64);
const label = z.string().min(1).max(256);
const tagKey = z.string().min(1).max(128);
const tags = z.array(z.strictObject({ Key: tagKey, Value: z.string().max(256) }));
const value = { SecretString: z.string().min(1).optional(), SecretBinary: z.base64().min(1).optional() };
const rules = z
  .strictObject({
    AutomaticallyAfterDays: z.int().min(1).max(1000).optional(),
    Duration: z.string().min(2).max(3).optional(),
    ScheduleExpression: z.string().min(1).max(256).optional(),
  })
  .refine((given) => !(given.AutomaticallyAfterDays && given.ScheduleExpression), 'one schedule, not two');

/** Milliseconds between rotations, undefined for a cron expression. @see UG/rotate-secrets_schedule */
function intervalMs(given: z.infer<typeof rules>): number | undefined {
  if (given.AutomaticallyAfterDays) return given.AutomaticallyAfterDays * DAY_MS;
  const rate = /^rate\((\d+) (hour|day)s?\)$/.exec(given.ScheduleExpression ?? '');
  return rate ? Number(rate[1]) * (rate[2] === 'day' ? DAY_MS : DAY_MS / 24) : undefined;
}

/** The one value of a request, if any. @see UG/reference_limits for its size */
function storable({ SecretString, SecretBinary }: z.infer<z.ZodObject<typeof value>>): SecretValue | undefined {
  const given = SecretString ? { SecretString } : SecretBinary ? { SecretBinary } : undefined;
  if (SecretString && SecretBinary) throw invalidParameter("You can't specify both SecretString and SecretBinary.");
  if (Buffer.byteLength(SecretString ?? SecretBinary ?? '', SecretBinary ? 'base64' : 'utf8') > MAX_VALUE_BYTES) {
    throw invalidParameter(`A secret value has at most ${MAX_VALUE_BYTES} bytes.`);
  }
  return given;
}

/** AWS JSON 1.1 carries instants as seconds since 1970. */
const seconds = (date: Date | undefined) => date && date.getTime() / 1000;
const sameValue = (a: SecretValue, b: SecretValue) => JSON.stringify(a) === JSON.stringify(b);

/**
 * AWS Secrets Manager, and SSM's GetParameter, on loopback over AWS JSON 1.1. All is in memory; credentials are not checked.
 * An operation or a parameter that is not here is refused by its name.
 * @see AWS Secrets Manager API reference (2017-10-17); Systems Manager API reference, GetParameter
 */
export async function startSecretsManager(options: SecretsManagerOptions = {}): Promise<LocalSecretsManager> {
  const { region = 'us-east-1', now = () => new Date(), readLagMs = 0 } = options;
  const secrets = new Set<Secret>();
  const history = new Map<Secret, { atMs: number; state: Secret }[]>();
  const parameters = new Map<string, string>();
  const primaryRegions = new Map<string, string>();
  const requests: { operation: string; at: Date }[] = [];
  const rotations = startRotations({ ...options, now, changed });

  function changed(secret: Secret): void {
    secret.changedAt = now();
    prune(secret, now());
    if (readLagMs === 0) return;
    history.set(secret, [...(history.get(secret) ?? []), { atMs: now().getTime(), state: structuredClone(secret) }]);
  }

  function named(id: string): Secret | undefined {
    for (const secret of secrets) if (secret.deletionAt && secret.deletionAt <= now()) secrets.delete(secret);
    return secrets.values().find((secret) => isNamedBy(secret, id));
  }

  function find(id: string): Secret {
    const secret = named(id);
    if (!secret) throw notFound('secret.');
    return secret;
  }

  function assertLive(secret: Secret): void {
    if (!secret.deletionAt) return;
    throw invalidRequest("You can't perform this operation on the secret because it was marked for deletion.");
  }

  /** The secret as a read sees it: a write that succeeded may be missing (aws/aws-sdk-js-v3#7701). */
  function seen(secret: Secret): Secret {
    if (readLagMs === 0) return secret;
    const state = history.get(secret)?.findLast(({ atMs }) => atMs + readLagMs <= now().getTime())?.state;
    if (!state) throw notFound('secret.');
    return state;
  }

  /** Stores a value under a token; the same again changes nothing, another is refused. @see PutSecretValue */
  function put(secret: Secret, token: string, stored: SecretValue, stages: string[], rotationToken?: string): Version {
    const known = secret.versions.get(token);
    if (known?.value && !sameValue(known.value, stored)) {
      throw resourceExists(
        `You can't use ClientRequestToken ${token} because that value is already in use for a version of secret ${secret.arn}.`,
      );
    }
    if (known?.value) return known;
    // "If this operation creates the first version for the secret", AWSCURRENT goes to it whatever was asked for.
    const labels = secret.versions.size === 0 ? [...new Set([...stages, 'AWSCURRENT'])] : stages;
    assertRoomFor(secret, labels);
    if (pendingVersion(secret)?.id !== token) rotations.supersede(secret);
    const version = known ?? { id: token, createdAt: now(), stages: new Set<string>(), ofRotation: false };
    version.value = stored;
    version.ofRotation = rotations.isFunction(secret, token, rotationToken);
    secret.versions.set(token, version);
    for (const name of labels) attach(secret, name, version);
    // A value set by hand counts as a rotation for the schedule (UG/rotate-secrets_lambda).
    if (labels.includes('AWSCURRENT')) rotations.schedule(secret);
    return version;
  }

  const naming = (secret: Secret) => ({ ARN: secret.arn, Name: secret.name });
  const entry = (version: Version) => ({
    VersionId: version.id,
    VersionStages: [...version.stages],
    CreatedDate: seconds(version.createdAt),
  });

  type Operation = (body: unknown) => object;
  const operation =
    <S extends z.ZodType>(schema: S, run: (input: z.infer<S>) => object): Operation =>
    (body) => {
      const input = schema.safeParse(body);
      if (input.success) return run(input.data);
      // zod's messages name keys and limits, never a value.
      throw invalidParameter(input.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; '));
    };
  const reading = <S extends z.ZodType<{ SecretId: string }>>(
    schema: S,
    run: (secret: Secret, input: z.infer<S>) => object,
  ) => operation(schema, (input) => run(seen(find(input.SecretId)), input));
  const writing = <S extends z.ZodType<{ SecretId: string }>>(
    schema: S,
    run: (secret: Secret, input: z.infer<S>) => object,
  ) =>
    operation(schema, (input) => {
      const secret = find(input.SecretId);
      assertLive(secret);
      const output = run(secret, input);
      changed(secret);
      return output;
    });
  const bySecretId = z.strictObject({ SecretId: secretId });

  const operations: Record<string, Operation> = {
    'secretsmanager.CreateSecret': operation(
      z.strictObject({
        Name: z.string().regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/),
        ClientRequestToken: versionId.optional(),
        Tags: tags.optional(),
        ...value,
      }),
      ({ Name: name, ClientRequestToken: token = randomUUID(), Tags = [], ...given }) => {
        const stored = storable(given);
        const twin = named(name);
        if (twin?.deletionAt) {
          throw invalidRequest(
            "You can't create this secret because a secret with this name is already scheduled for deletion.",
          );
        }
        if (twin && !(stored && twin.versions.has(token))) {
          throw resourceExists(`The operation failed because the secret ${name} already exists.`);
        }
        const secret = twin ?? {
          arn: secretArn(region, name),
          name,
          createdAt: now(),
          changedAt: now(),
          versions: new Map(),
          tags: new Map(Tags.map((tag) => [tag.Key, tag.Value])),
        };
        if (stored) put(secret, token, stored, ['AWSCURRENT']);
        secrets.add(secret);
        changed(secret);
        return { ...naming(secret), ...(stored && { VersionId: token }) };
      },
    ),

    'secretsmanager.PutSecretValue': writing(
      bySecretId.extend({
        ClientRequestToken: versionId.optional(),
        VersionStages: z.array(label).min(1).max(20).optional(),
        RotationToken: z.string().min(36).max(256).optional(),
        ...value,
      }),
      (secret, { ClientRequestToken = randomUUID(), VersionStages = ['AWSCURRENT'], RotationToken, ...given }) => {
        const stored = storable(given);
        if (!stored) throw invalidRequest('You must provide either SecretString or SecretBinary.');
        const version = put(secret, ClientRequestToken, stored, VersionStages, RotationToken);
        return { ...naming(secret), VersionId: version.id, VersionStages: [...version.stages] };
      },
    ),

    'secretsmanager.GetSecretValue': reading(
      bySecretId.extend({ VersionId: versionId.optional(), VersionStage: label.optional() }),
      (secret, { VersionId, VersionStage }) => {
        assertLive(secret);
        const found = readVersion(secret, VersionId, VersionStage);
        return { ...naming(secret), ...entry(found.version), ...found.value };
      },
    ),

    'secretsmanager.DescribeSecret': reading(bySecretId, (secret) => {
      const { rotation } = secret;
      const labelled = secret.versions.values().filter(({ stages }) => stages.size > 0);
      return {
        ...naming(secret),
        PrimaryRegion: primaryRegions.get(secret.arn),
        CreatedDate: seconds(secret.createdAt),
        LastChangedDate: seconds(secret.changedAt),
        DeletedDate: seconds(secret.deletionAt),
        // Absent until rotation was configured; the dates also while it is turned off.
        RotationEnabled: rotation?.enabled,
        RotationLambdaARN: rotation?.lambdaArn,
        RotationRules: rotation?.rules,
        LastRotatedDate: rotation?.enabled ? seconds(rotation.lastRotatedAt) : undefined,
        NextRotationDate: rotation?.enabled ? seconds(rotation.nextRotationAt) : undefined,
        Tags: [...secret.tags].map(([Key, Value]) => ({ Key, Value })),
        VersionIdsToStages: Object.fromEntries(labelled.map(({ id, stages }) => [id, [...stages]])),
      };
    }),

    'secretsmanager.ListSecretVersionIds': reading(
      bySecretId.extend({
        IncludeDeprecated: z.boolean().optional(),
        MaxResults: z.int().min(1).max(100).optional(),
        NextToken: z.string().min(1).max(4096).optional(),
      }),
      (secret, { IncludeDeprecated = false, MaxResults = 100, NextToken }) => {
        const listed = [...secret.versions.values()].filter(({ stages }) => IncludeDeprecated || stages.size > 0);
        // The token is the id of the next version, so it holds while others are added.
        const start = NextToken === undefined ? 0 : listed.findIndex(({ id }) => id === NextToken);
        if (start < 0) throw new ServiceError('InvalidNextTokenException', 'The NextToken value is invalid.');
        const page = listed.slice(start, start + MaxResults);
        return { ...naming(secret), Versions: page.map(entry), NextToken: listed[start + MaxResults]?.id };
      },
    ),

    'secretsmanager.UpdateSecretVersionStage': writing(
      bySecretId.extend({
        VersionStage: label,
        RemoveFromVersionId: versionId.optional(),
        MoveToVersionId: versionId.optional(),
      }),
      (secret, { VersionStage, RemoveFromVersionId, MoveToVersionId }) => {
        moveLabel(secret, VersionStage, RemoveFromVersionId, MoveToVersionId);
        return naming(secret);
      },
    ),

    'secretsmanager.RotateSecret': writing(
      bySecretId.extend({
        ClientRequestToken: versionId.optional(),
        RotationLambdaARN: z.string().min(1).max(2048).optional(),
        RotationRules: rules.optional(),
        RotateImmediately: z.boolean().optional(),
      }),
      (
        secret,
        { ClientRequestToken: token = randomUUID(), RotationLambdaARN, RotationRules, RotateImmediately = true },
      ) => {
        const { rotation } = secret;
        const lambdaArn = RotationLambdaARN ?? rotation?.lambdaArn;
        if (!lambdaArn) throw invalidRequest('No Lambda rotation function ARN is associated with this secret.');
        rotations.refuseWhileIncomplete(secret, token);
        const schedule = RotationRules && { rules: RotationRules, intervalMs: intervalMs(RotationRules) };
        secret.rotation = { ...rotation, ...schedule, lambdaArn, enabled: true };
        rotations.schedule(secret);
        rotations.begin(secret, token, RotateImmediately);
        return { ...naming(secret), VersionId: token };
      },
    ),

    'secretsmanager.CancelRotateSecret': writing(bySecretId, (secret) => {
      if (!secret.rotation) throw invalidRequest('Rotation was never configured for this secret.');
      secret.rotation.enabled = false;
      rotations.stop(secret);
      return { ...naming(secret), VersionId: pendingVersion(secret)?.id };
    }),

    'secretsmanager.TagResource': writing(bySecretId.extend({ Tags: tags }), (secret, { Tags }) => {
      for (const { Key, Value } of Tags) secret.tags.set(Key, Value);
      return {};
    }),

    'secretsmanager.UntagResource': writing(bySecretId.extend({ TagKeys: z.array(tagKey) }), (secret, { TagKeys }) => {
      for (const key of TagKeys) secret.tags.delete(key);
      return {};
    }),

    'secretsmanager.DeleteSecret': operation(
      bySecretId.extend({
        RecoveryWindowInDays: z.int().min(7).max(30).optional(),
        ForceDeleteWithoutRecovery: z.boolean().optional(),
      }),
      ({ SecretId, RecoveryWindowInDays, ForceDeleteWithoutRecovery: force = false }) => {
        if (force && RecoveryWindowInDays) {
          throw invalidParameter("You can't use ForceDeleteWithoutRecovery together with RecoveryWindowInDays.");
        }
        // Forcibly deleting what is not there, or is deleted already, is no error.
        if (force && !named(SecretId)) return { Name: SecretId, DeletionDate: seconds(now()) };
        const secret = find(SecretId);
        if (!force) assertLive(secret);
        secret.deletionAt = new Date(now().getTime() + (force ? 0 : (RecoveryWindowInDays ?? 30) * DAY_MS));
        rotations.stop(secret);
        changed(secret);
        return { ...naming(secret), DeletionDate: seconds(secret.deletionAt) };
      },
    ),

    'secretsmanager.RestoreSecret': operation(bySecretId, ({ SecretId }) => {
      const secret = find(SecretId);
      secret.deletionAt = undefined;
      changed(secret);
      return naming(secret);
    }),

    'AmazonSSM.GetParameter': operation(
      z.strictObject({ Name: z.string().min(1).max(2048), WithDecryption: z.boolean().optional() }),
      ({ Name }) => {
        const Value = parameters.get(Name);
        if (Value === undefined) throw new ServiceError('ParameterNotFound', `Parameter ${Name} not found.`);
        return { Parameter: { Name, Value, Type: 'String', Version: 1, DataType: 'text' } };
      },
    ),
  };

  const app = new Hono<{ Bindings: HttpBindings }>();
  app.post('/', async (context) => {
    const target = context.req.header('x-amz-target') ?? '';
    const name = target.split('.').at(-1) ?? '';
    const answer = (status: number, body: object, headers: Record<string, string> = {}) =>
      new Response(JSON.stringify(body), {
        status,
        headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID(), ...headers },
      });
    const refuse = (fault: Fault) => {
      if (fault !== 'drop') return answer(fault.status, { __type: fault.type, message: fault.message }, fault.headers);
      context.env.incoming.socket.destroy();
      return answer(500, {});
    };
    requests.push({ operation: name, at: now() });
    const input: unknown = await context.req.json().catch(() => undefined);
    try {
      const run = Object.hasOwn(operations, target) ? operations[target] : undefined;
      if (!run) throw new ServiceError('UnknownOperationException', `"${target}" is not emulated here.`);
      if (input === undefined) throw new ServiceError('SerializationException', 'The request body is not JSON.');
      const before = await options.intercept?.(name, input);
      if (before) return refuse(before);
      const output = run(input);
      const after = await options.interceptAfter?.(name, input);
      return after ? refuse(after) : answer(200, output);
    } catch (error) {
      if (error instanceof ServiceError) return refuse({ status: 400, type: error.type, message: error.message });
      return refuse({ status: 500, type: 'InternalServiceError', message: String(error) });
    }
  });

  const server = createAdaptorServer({ fetch: app.fetch, hostname: '127.0.0.1' });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    parameters,
    primaryRegions,
    requests,
    onEvent: rotations.onEvent,
    rotationSettled: async (id) => rotations.settled(find(id)),
    async close() {
      await rotations.close();
      const ended = once(server, 'close');
      server.close();
      if (server instanceof Server) server.closeAllConnections();
      await ended;
    },
  };
}
