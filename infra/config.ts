import { z } from 'zod';

const matching = (pattern: RegExp, remedy: string) => z.string(remedy).regex(pattern, remedy);
/** `--context KEY=VALUE` gives text only. */
const fromText = <S extends z.ZodType>(schema: S) =>
  z.preprocess((value) => {
    if (typeof value !== 'string') return value;
    try {
      return JSON.parse(value) as unknown;
    } catch {
      return value;
    }
  }, schema);
const flag = fromText(z.boolean('true or false'));
const wholeNumber = (min: number, max: number, remedy: string) =>
  fromText(z.number(remedy).int(remedy).min(min, remedy).max(max, remedy));
const list = <S extends z.ZodType>(item: S, remedy: string) => fromText(z.array(item, remedy));

/** A region or an ARN where the names of services that are in our policies end in amazonaws.com. */
const inPartition = (schema: z.ZodString) =>
  schema.regex(
    /^(?!arn:aws-(?!us-gov:)|cn-|[a-z]{2}-iso)/,
    'of the partition aws or aws-us-gov: elsewhere services have other names',
  );

const arn = (service: string, resource: string, remedy: string) =>
  inPartition(matching(new RegExp(`^arn:aws[a-z-]*:${service}:[a-z0-9-]+:\\d{12}:${resource}$`), remedy));
const accountId = matching(/^\d{12}$/, 'an account id of 12 digits, as text');
const keyArn = arn(
  'kms',
  'key/(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})',
  'the ARN of a KMS key: an alias is not enough',
);
const topicArn = arn('sns', '[\\w-]{1,256}', 'the ARN of a standard SNS topic');
const secretArn = arn(
  'secretsmanager',
  'secret:[\\w/+=.@-]+-[A-Za-z0-9]{6}',
  'the ARN of a secret, with the six characters at its end',
);

/**
 * Each takes eleven of a stack's 200 outputs, and with a function of its own up to 30 of its 500 resources.
 *
 * @see CloudFormation user guide, "Understand CloudFormation quotas"
 */
const maxClientSecrets = { shared: 18, functionEach: 15 };

/** One client secret. What is left out is created, without a value. */
const clientSecretSchema = z.strictObject(
  {
    rotatedSecretArn: secretArn.optional(),
    loginSecretArn: secretArn.optional(),
    bridgeSecretArn: secretArn.optional(),
    secretsKeyArn: keyArn.optional(),
    consumers: list(
      inPartition(matching(/^arn:aws[a-z-]*:iam::\d{12}:(role|user)\/[\w+=,.@/-]+$/, 'the ARN of an IAM role or user')),
      'a list of ARNs of roles or users',
    ).default([]),
  },
  { error: (issue) => (issue.code === 'unrecognized_keys' ? undefined : 'an object, {} where all is to be created') },
);

/** The keys of cdk.json's `context`, or of `cdk --context KEY=VALUE`. The messages say what a value must be. */
const keys = {
  clientSecrets: fromText(
    z
      .record(
        z.string().regex(/^[A-Za-z][A-Za-z0-9]{0,63}$/),
        clientSecretSchema,
        'an object with a name of letters and digits for each client secret, such as {"Rotation": {}}',
      )
      .refine((given) => Object.keys(given).length > 0, 'an object with at least one client secret'),
  ).default({ Rotation: { consumers: [] } }),
  sharedFunction: flag.default(true),
  rotationIntervalDays: wholeNumber(
    1,
    1000,
    'a whole number of days from 1 to 1000, which is what Secrets Manager takes',
  ).default(30),
  preflightRepairs: flag.default(true),
  portalProfileParameter: matching(
    /^(?!\/?(aws|ssm))([\w.-]+|(\/[\w.-]+)+)$/i,
    'the name, not the ARN, of an SSM parameter, such as /tradeaware/portal-profile',
  ).optional(),
  evidenceBucketName: matching(
    /^(?!.*(\.\.|\.-|-\.))(?!\d+(\.\d+){3}$)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/,
    'the name, not the ARN, of an S3 bucket that exists',
  ).optional(),
  account: accountId.optional(),
  region: inPartition(matching(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region, such as eu-central-1')).optional(),
  vpc: matching(/^(new|vpc-[0-9a-f]{8,17})$/, 'new, or the id of a VPC that exists, such as vpc-0a1b2c3d').optional(),
  secretsKeyArn: keyArn.optional(),
  operationsKeyArn: keyArn.optional(),
  topicArn: topicArn.optional(),
  topicKeyArn: keyArn.optional(),
  alarmTopicArn: topicArn.optional(),
  subscriberAccounts: list(accountId, 'a list of account ids').default([]),
  tracing: flag.default(false),
};
const configSchema = z.strictObject(keys);

/** What an operator decides before a deployment. */
export type Config = z.infer<typeof configSchema>;

/** Says which keys of the context are wrong and what to write instead, one line each. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';

  constructor(lines: string[]) {
    super(['Mend the context in cdk.json, or what --context says:', ...lines.map((line) => `  ${line}`)].join('\n'));
  }
}

/** What `cdk cli-telemetry` and `cdk acknowledge` write. */
const cliKeys = ['cli-telemetry', 'acknowledged-issue-numbers'];

/**
 * @param context the app's whole context. The CDK's own keys have a colon, but for `cliKeys`; all others are ours, or misspelt.
 * @throws ConfigError
 */
export function readConfig(context: Record<string, unknown>): Config {
  const isOurs = (key: string) => !key.includes(':') && !cliKeys.includes(key);
  const ours = Object.fromEntries(Object.entries(context).filter(([key]) => isOurs(key)));
  const parsed = configSchema.safeParse(ours);
  if (!parsed.success)
    throw new ConfigError([...new Set(parsed.error.issues.flatMap((issue) => complaint(issue, ours)))]);
  const lines = contradictions(parsed.data);
  if (lines.length > 0) throw new ConfigError(lines);
  return parsed.data;
}

function complaint(issue: z.core.$ZodIssue, ours: Record<string, unknown>): string[] {
  if (issue.code === 'unrecognized_keys') {
    const known = issue.path.length === 0 ? keys : clientSecretSchema.shape;
    return issue.keys.map(
      (key) =>
        `${[...issue.path, key].join('.')} is no key of ours: remove it, or take one of ${Object.keys(known).join(', ')}`,
    );
  }
  const value = issue.path.reduce<unknown>((within, key) => (within as Record<PropertyKey, unknown>)?.[key], ours);
  const message = issue.code === 'invalid_key' ? 'named with letters and digits' : issue.message;
  return [`${issue.path.join('.')} is ${JSON.stringify(value)}, but must be ${message}`];
}

/** What only values together show. */
function contradictions(config: Config): string[] {
  const lines: string[] = [];
  const count = Object.keys(config.clientSecrets).length;
  const max = config.sharedFunction ? maxClientSecrets.shared : maxClientSecrets.functionEach;
  if (count > max) {
    lines.push(
      `clientSecrets has ${count} client secrets, of which CloudFormation takes ${max} where sharedFunction is ${config.sharedFunction}: the others need a stack of their own, in another region, account or infra/app.ts`,
    );
  }
  if ((config.account === undefined) !== (config.region === undefined)) {
    lines.push('account and region go together: give both, or neither');
  }
  if (config.vpc?.startsWith('vpc-') && !config.region) {
    lines.push(`vpc is ${config.vpc}, which is looked up at synth: give account and region too`);
  }
  if (config.topicKeyArn && !config.topicArn) {
    lines.push(
      'topicKeyArn is the key of the topic in topicArn, which is not given: give it, or operationsKeyArn for a new topic',
    );
  }
  const ofEach = (keys: readonly Exclude<keyof z.infer<typeof clientSecretSchema>, 'consumers'>[]) =>
    Object.entries(config.clientSecrets).flatMap(([name, given]) =>
      keys.map((key) => ({ key: `clientSecrets.${name}.${key}`, value: given[key] })),
    );
  const secrets = ofEach(['rotatedSecretArn', 'loginSecretArn', 'bridgeSecretArn']);
  const arns = [
    ...secrets,
    ...ofEach(['secretsKeyArn']),
    ...(['secretsKeyArn', 'operationsKeyArn', 'topicArn', 'topicKeyArn', 'alarmTopicArn'] as const).map((key) => ({
      key,
      value: config[key],
    })),
  ].filter(({ value }) => value !== undefined);
  const region = config.region ?? arns[0]?.value?.split(':')[3];
  const local = arns.filter(({ key, value }) => value?.includes(':secretsmanager:') || key === 'alarmTopicArn');
  const account = config.account ?? local[0]?.value?.split(':')[4];
  for (const { key, value } of arns) {
    const its = value?.split(':')[3];
    if (its !== region) lines.push(`${key} is in region ${its}, but must be in ${region}, with all the rest`);
  }
  for (const { key, value } of local) {
    const its = value?.split(':')[4];
    const why = key === 'alarmTopicArn' ? 'the alarms call in their own' : 'Secrets Manager rotates where it is';
    if (its !== account) lines.push(`${key} is in account ${its}, but must be in ${account}: ${why}`);
  }
  // Only a login serves several.
  const isLogin = (key: string) => key.endsWith('.loginSecretArn');
  for (const [index, { key, value }] of secrets.entries()) {
    const twin = secrets
      .slice(0, index)
      .find((other) => value && other.value === value && !(isLogin(key) && isLogin(other.key)));
    if (twin) lines.push(`${key} is ${twin.key} too: each client secret needs its own`);
  }
  return lines;
}
