import type { Template } from 'aws-cdk-lib/assertions';

/** One statement of a policy, with every reference resolved. */
export interface Statement {
  Effect: 'Allow' | 'Deny';
  Action: string[];
  Resource: string[];
  Principal?: '*' | Record<string, string[]>;
  Condition: Record<string, Record<string, string[]>>;
}

/** A call, as IAM sees it. `context` by lower-case key. */
export interface Call {
  principal: { role: string } | { service: string };
  action: string;
  resource: string;
  context: Record<string, string[]>;
}

/** The policies of a synthesized template: of roles, by their ARN, and of resources, by theirs. */
export interface Policies {
  identity: Map<string, Statement[]>;
  resource: Map<string, Statement[]>;
  /** The ARN that a logical id stands for. */
  arnOf(logicalId: string): string;
}

const account = '000000000000';
const region = 'us-east-1';

const list = <T>(value: T | T[] | undefined): T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/**
 * @param arns by logical id; what is not there gets one that is made up
 * @throws where the template holds a function that is not understood here
 */
export function policiesOf(template: Template, arns: Record<string, string> = {}): Policies {
  const resources = template.toJSON().Resources as Record<string, { Type: string; Properties: Json }>;
  const arnOf = (id: string) => {
    if (arns[id]) return arns[id];
    const type = resources[id]?.Type.split('::') ?? [];
    const service = String(type[1]).toLowerCase();
    // What a log group's Arn attribute ends in.
    return `arn:aws:${service}:${service === 'iam' ? '' : region}:${account}:${type[2]}/${id}${service === 'logs' ? ':*' : ''}`;
  };
  const pseudo: Record<string, string> = {
    'AWS::Partition': 'aws',
    'AWS::AccountId': account,
    'AWS::Region': region,
    'AWS::URLSuffix': 'amazonaws.com',
  };
  const text = (value: Json): string => {
    if (typeof value !== 'object') return String(value);
    const [[fn, argument] = ['', '']] = Object.entries(value as Record<string, Json>);
    if (fn === 'Ref') return pseudo[String(argument)] ?? arnOf(String(argument));
    if (fn === 'Fn::GetAtt') return arnOf(String((argument as Json[])[0]));
    if (fn === 'Fn::Join') return ((argument as [string, Json[]])[1] ?? []).map(text).join(argument[0] as string);
    throw new Error(`not understood: ${fn}`);
  };
  const texts = (value: Json | undefined) => list(value).map(text);
  const mapped = (value: Json | undefined) =>
    Object.fromEntries(Object.entries((value ?? {}) as Record<string, Json>).map(([key, its]) => [key, texts(its)]));
  const statements = (document: Json): Statement[] =>
    (document.Statement as Json[]).map(({ Effect, Action, Resource, Principal, Condition, ...others }) => {
      delete others.Sid;
      if (Object.keys(others).length > 0) throw new Error(`not understood: ${Object.keys(others)}`);
      return {
        Effect: Effect as Statement['Effect'],
        Action: texts(Action),
        Resource: texts(Resource),
        ...(Principal && { Principal: Principal === '*' ? ('*' as const) : mapped(Principal) }),
        Condition: Object.fromEntries(
          Object.entries((Condition ?? {}) as Record<string, Json>).map(([key, its]) => [key, mapped(its)]),
        ),
      };
    });
  const policies: Policies = { identity: new Map(), resource: new Map(), arnOf };
  const add = (to: Map<string, Statement[]>, arn: string, added: Statement[]) =>
    to.set(arn, [...(to.get(arn) ?? []), ...added]);
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    if (Type === 'AWS::IAM::Policy') {
      for (const role of texts(Properties.Roles)) add(policies.identity, role, statements(Properties.PolicyDocument));
    } else if (Type === 'AWS::KMS::Key') add(policies.resource, arnOf(id), statements(Properties.KeyPolicy));
    else if (Type === 'AWS::SNS::TopicPolicy') {
      for (const topic of texts(Properties.Topics))
        add(policies.resource, topic, statements(Properties.PolicyDocument));
    } else if (Type === 'AWS::SecretsManager::ResourcePolicy') {
      add(policies.resource, text(Properties.SecretId), statements(Properties.ResourcePolicy));
    } else if (Type === 'AWS::Lambda::Permission') {
      const { Action, FunctionName, Principal, SourceAccount, SourceArn } = Properties;
      add(policies.resource, text(FunctionName), [
        {
          Effect: 'Allow',
          Action: texts(Action),
          Resource: texts(FunctionName),
          Principal: { Service: texts(Principal) },
          Condition: {
            ...(SourceAccount && { StringEquals: { 'aws:SourceAccount': texts(SourceAccount) } }),
            ...(SourceArn && { ArnLike: { 'aws:SourceArn': texts(SourceArn) } }),
          },
        },
      ]);
    }
  }
  return policies;
}

// biome-ignore lint/suspicious/noExplicitAny: a template is any JSON.
type Json = any;

/**
 * Whether the call is allowed: an explicit deny wins; within an account the role's policy or the resource's, across accounts both;
 * a key's policy always, by itself or by leaving it to IAM.
 *
 * @see IAM user guide, "Policy evaluation logic"; KMS developer guide, "Default key policy"
 */
export function isAllowed(call: Call, { identity, resource }: Pick<Policies, 'identity' | 'resource'>): boolean {
  const role = 'role' in call.principal ? call.principal.role : undefined;
  const matches = (statement: Statement) => appliesTo(statement, call);
  const own = (role ? (identity.get(role) ?? []) : []).filter(matches);
  const theirs = (resource.get(call.resource) ?? []).filter(matches);
  const named = theirs.filter((statement) => isNamed(call.principal, statement));
  const delegated = theirs.filter((statement) => role && isNamed({ role: rootOf(role) }, statement));
  if ([...own, ...named, ...delegated].some(({ Effect }) => Effect === 'Deny')) return false;
  if (!role) return named.length > 0;
  const owner = call.resource.split(':')[4];
  if (owner && owner !== role.split(':')[4]) return own.length > 0 && named.length + delegated.length > 0;
  if (call.action.startsWith('kms:')) return named.length > 0 || (delegated.length > 0 && own.length > 0);
  return own.length > 0 || named.length > 0;
}

const rootOf = (role: string) => `arn:aws:iam::${role.split(':')[4]}:root`;

function isNamed(principal: Call['principal'], { Principal }: Statement): boolean {
  if (Principal === '*') return true;
  if ('role' in principal) return Principal?.AWS?.includes(principal.role) ?? false;
  return Principal?.Service?.includes(principal.service) ?? false;
}

function appliesTo({ Action, Resource, Condition }: Statement, { action, resource, context }: Call): boolean {
  return (
    Action.some((pattern) => like(pattern.toLowerCase(), action.toLowerCase())) &&
    Resource.some((pattern) => like(pattern, resource)) &&
    Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => holds(operator, wanted, context[key.toLowerCase()])),
    )
  );
}

/** @see IAM user guide, "IAM JSON policy elements: Condition operators" and "Multivalued context keys" */
function holds(operator: string, wanted: string[], given: string[] | undefined): boolean {
  const [set, plain = set] = operator.split(':');
  const compare = comparisons[plain ?? ''];
  if (!compare) throw new Error(`not understood: ${operator}`);
  const met = (value: string) => wanted.some((pattern) => compare(pattern, value));
  if (set === 'ForAllValues') return (given ?? []).every(met);
  return given?.some(met) ?? false;
}

const comparisons: Record<string, (pattern: string, value: string) => boolean> = {
  StringEquals: (wanted, value) => wanted === value,
  Bool: (wanted, value) => wanted === value,
  ArnLike: like,
  ArnEquals: like,
};

function like(pattern: string, value: string): boolean {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`).test(value);
}
