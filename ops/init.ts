import { text } from 'node:stream/consumers';
import { PutSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { z } from 'zod';
import { parseLoginSecret, parseRotatedSecret } from '../lambda/rotation/client-secret.ts';
import { versionWith } from '../lambda/rotation/labels.ts';
import { OpsError } from './failure.ts';
import { type Described, type Session, unfinished } from './session.ts';
import type { Terminal } from './terminal.ts';

export interface InitOptions {
  loginSecret?: string;
  bridgeSecret?: string;
  only?: Part;
}

/** The two secrets whose values are a person's to store; the bridge secret is the function's. */
export const parts = ['login', 'client'] as const;
type Part = (typeof parts)[number];

type Values = Record<string, unknown>;

const values = z.record(z.string(), z.unknown());
const inputSchema = z.strictObject({ login: values.optional(), client: values.optional() });
type Given = z.infer<typeof inputSchema>;

/**
 * Stores the login and the client, asked for at a terminal, or from `{"login": {…}, "client": {…}}` on the standard input. Keys of the
 * client that are not given keep their values. Nothing is written unless all of it is valid.
 *
 * @throws {OpsError} unconfirmed, where a value would be overwritten without --yes
 */
export async function init(session: Session, options: InitOptions): Promise<void> {
  const rotated = await session.describe();
  if (rotated.deletedAt)
    throw new OpsError('trouble', `secret ${rotated.name} is scheduled for deletion`, 'run doctor, which restores it');
  const stored = await session.read(rotated.arn, { label: 'AWSCURRENT' });
  const existing: Values = {
    ...(stored && parseObject(stored.value, `the value of secret ${rotated.name}`)),
    ...(options.loginSecret && { login_secret_arn: options.loginSecret }),
    ...(options.bridgeSecret && { bridge_secret_arn: options.bridgeSecret }),
  };
  const holders = async (wanted: readonly Part[], loginArn: unknown): Promise<Described[]> => [
    ...(wanted.includes('login') && typeof loginArn === 'string' ? [await session.describe(loginArn)] : []),
    ...(wanted.includes('client') ? [rotated] : []),
  ];
  const { terminal } = session;
  const wanted = options.only ? [options.only] : parts;
  // Before the questions, not after them.
  if (!existing.login_secret_arn && !wanted.includes('client')) throw loginSecretUnknown();
  if (terminal.isInteractive) {
    refuseAbandoning(rotated, wanted);
    refuseOverwriting(session, await holders(wanted, existing.login_secret_arn));
  }
  const given = terminal.isInteractive ? await askFor(terminal, wanted, existing) : await readInput(wanted);

  const client = given.client && parseRotatedSecret(rotated.name, JSON.stringify(merged(existing, given.client)));
  const loginArn = client?.login_secret_arn ?? existing.login_secret_arn;
  if (typeof loginArn !== 'string') throw loginSecretUnknown();
  if (given.login) parseLoginSecret(loginArn, JSON.stringify(given.login));
  const login = await session.describe(loginArn);
  if (client) {
    const three = new Set([rotated.arn, login.arn, (await session.describe(client.bridge_secret_arn)).arn]);
    const next = 'see their ARNs in the outputs of the stack';
    if (three.size < 3) throw new OpsError('usage', 'the rotated, the login and the bridge secret must be three', next);
  }
  const now = parts.filter((part) => given[part]);
  if (now.length === 0) throw new OpsError('usage', 'there is nothing to store', 'give "login", "client" or both');
  refuseAbandoning(rotated, now);
  refuseOverwriting(session, await holders(now, loginArn));
  if (given.login) await store(session, 'login', login, given.login);
  if (given.client) await store(session, 'client', rotated, merged(existing, given.client));
  process.stderr.write('Next: preflight looks whether a rotation would succeed.\n');
}

const loginSecretUnknown = () => new OpsError('usage', 'no login secret is known', 'give --login-secret');

/** A version of the rotated secret that is made by hand would have Secrets Manager abandon its rotation. @see UG/retrieve-ct-entries */
function refuseAbandoning(rotated: Described, stored: readonly Part[]): void {
  const pending = unfinished(rotated);
  if (!pending || !stored.includes('client')) return;
  const next = 'let it end, or run doctor, which knows the way out; --only login can be stored at any time';
  throw new OpsError('trouble', `the rotation ${pending} is not finished`, next);
}

function refuseOverwriting({ options }: Session, secrets: Described[]): void {
  const taken = secrets.filter((secret) => versionWith(secret, 'AWSCURRENT')).map(({ name }) => name);
  if (taken.length === 0 || options.yes) return;
  throw new OpsError('unconfirmed', `${taken.join(' and ')} would be overwritten`, 'give --yes if that is meant');
}

async function store(session: Session, part: Part, { arn, name }: Described, value: Values): Promise<void> {
  const { VersionId: version } = await session.secretsManager.send(
    new PutSecretValueCommand({ SecretId: arn, SecretString: JSON.stringify(value) }),
  );
  session.say({ fact: 'stored', part, secret: arn, version }, `Stored the ${part} in ${name}, version ${version}.`);
}

/** Another client has another secret. */
function merged(existing: Values, given: Values): Values {
  return { ...existing, client_secret: keptSecret(existing, given), ...given };
}

function keptSecret(existing: Values, { client_id = existing.client_id }: Values): unknown {
  return client_id === existing.client_id ? existing.client_secret : undefined;
}

/** Texts in errors never quote what was given. */
function parseObject(json: string, what: string): Values {
  try {
    return values.parse(JSON.parse(json));
  } catch {
    throw new OpsError('usage', `${what} is not a JSON object`, 'correct it, and run this again');
  }
}

async function readInput(wanted: readonly Part[]): Promise<Given> {
  const parsed = inputSchema.safeParse(parseObject(await text(process.stdin), 'the standard input'));
  if (!parsed.success) {
    throw new OpsError(
      'usage',
      'the standard input is not {"login": {…}, "client": {…}}',
      'see the keys in README, "Deploy"',
    );
  }
  return Object.fromEntries(Object.entries(parsed.data).filter(([part]) => wanted.includes(part as Part)));
}

interface Question {
  key: string;
  text: string;
  hidden?: true;
  /** What an empty answer means. Without it the question has to be answered. */
  empty?: string;
}

const questions: Record<Part, Question[]> = {
  login: [
    { key: 'username', text: 'User name at the portal' },
    { key: 'password', text: 'Password', hidden: true },
    { key: 'totp_secret', text: 'Seed of one-time codes, base32 or otpauth://', hidden: true, empty: 'none' },
  ],
  client: [
    { key: 'client_id', text: 'Client ID' },
    {
      key: 'client_secret',
      text: 'Client secret',
      hidden: true,
      empty: 'the first rotation stores what the portal shows',
    },
    { key: 'developer_tools_url', text: 'URL of Developer Tools' },
    { key: 'token_endpoint', text: 'Token endpoint', empty: 'the provider’s' },
    { key: 'login_secret_arn', text: 'ARN of the login secret' },
    { key: 'bridge_secret_arn', text: 'ARN of the bridge secret' },
  ],
};

/** What is known is offered, but for hidden answers. */
async function askFor(terminal: Terminal, wanted: readonly Part[], known: Values): Promise<Given> {
  const given: Given = {};
  for (const part of wanted) {
    const answers: Values = {};
    for (const { key, text, hidden = false, empty } of questions[part]) {
      const offered = part === 'client' && !hidden && typeof known[key] === 'string' ? known[key] : undefined;
      const kept = key === 'client_secret' && keptSecret(known, answers) ? 'the one that is stored' : undefined;
      const ifEmpty = offered ?? kept ?? empty;
      const typed = await terminal.ask(`${text}${ifEmpty ? ` [${ifEmpty}]` : ''}: `, { hidden });
      if (typed === undefined) throw new OpsError('unconfirmed', 'broken off: nothing was stored', 'run init again');
      // A password may begin or end with a space.
      const answer = hidden ? typed : typed.trim();
      if (answer) answers[key] = answer;
      else if (!ifEmpty) throw new OpsError('usage', `${text} is needed: nothing was stored`, 'run init again');
    }
    given[part] = answers;
  }
  return given;
}
