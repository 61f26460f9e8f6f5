import { DescribeSecretCommand, GetSecretValueCommand } from '@aws-sdk/client-secrets-manager';
import { DeleteMessageCommand, type Message, ReceiveMessageCommand } from '@aws-sdk/client-sqs';
import { requestToken } from '../consumer/token-request.ts';
import { type CloudEvent, cloudEventSchema } from '../lambda/events/cloudevent.ts';
import { parseBridgeSecret } from '../lambda/rotation/client-secret.ts';
import { findCanaries } from './canaries.ts';
import type { Environment } from './environment.ts';

export interface Check {
  name: string;
  ok: boolean;
  /** What was measured, in words. */
  measured: string;
}

/** What is known of the rotations from outside the function. */
export interface Witness {
  /** The ClientRequestTokens, in order. */
  rotations: readonly string[];
  /** Every client secret that the provider had, in order; the last is the valid one. */
  clientSecrets: readonly string[];
  /** An access token minted before the first rotation. */
  tokenOfBefore: string;
  /** Everything that was printed: by the function, and by this program. */
  printed: readonly string[];
}

/** Measures, at the running services, what a rotation promises. */
export async function checkRotations(environment: Environment, witness: Witness): Promise<Check[]> {
  const { provider } = environment;
  const count = witness.rotations.length;
  const messages = await receive(environment, 3 * count);
  const { presses, otherClicks, logins } = provider.provider.counters;
  const verdicts = await Promise.all(witness.clientSecrets.map((secret) => verdictOn(environment, secret)));
  const rejected = verdicts.slice(0, -1).filter((verdict) => verdict === 'rejected').length;
  const bridge = await checkBridge(environment, witness);
  const secrets = new Map([
    ...witness.clientSecrets.map((secret, index): [string, string] => [`client secret ${index + 1}`, secret]),
    ['password', provider.login.password],
    ['token of before', witness.tokenOfBefore],
    ['bridge token', bridge.token],
  ]);
  return [
    { name: 'presses, counted by the portal', ok: presses === count, measured: `${presses} in ${count} rotation(s)` },
    {
      name: 'clicks on anything else',
      ok: Object.keys(otherClicks).length === 0,
      measured: Object.keys(otherClicks).join(', ') || 'none',
    },
    { name: 'logins', ok: logins.attempts === count, measured: `${logins.succeeded} of ${logins.attempts} succeeded` },
    {
      name: 'old client secret',
      ok: rejected === count,
      measured: `${rejected} of ${count} rejected by the token endpoint`,
    },
    {
      name: 'new client secret',
      ok: verdicts.at(-1) === 'accepted',
      measured: `${verdicts.at(-1)} by the token endpoint`,
    },
    await checkToken(environment, 'token minted before', witness.tokenOfBefore),
    await checkToken(environment, 'bridge token', bridge.token),
    bridge.check,
    await checkLabels(environment, witness),
    ...checkEvents(messages, witness),
    checkOutputs(witness, messages, secrets),
  ];
}

async function verdictOn({ provider }: Environment, clientSecret: string): Promise<string> {
  const { tokenEndpoint, client } = provider;
  return (await requestToken({ tokenEndpoint, clientId: client.clientId, clientSecret, timeoutMs: 5_000 })).verdict;
}

async function checkToken({ provider }: Environment, name: string, token: string): Promise<Check> {
  const { status } = await fetch(provider.apiUrl, { headers: { authorization: `Bearer ${token}` } });
  return { name, ok: status === 200, measured: `the API answers ${status}` };
}

async function checkBridge({ secretsManager, secrets }: Environment, { rotations }: Witness) {
  const { SecretString: value = '' } = await secretsManager.send(
    new GetSecretValueCommand({ SecretId: secrets.bridge }),
  );
  const slot = parseBridgeSecret('bridge', value);
  const check = {
    name: 'bridge secret',
    ok: slot.armed_for === rotations.at(-1) && slot.access_token !== undefined && slot.attempt === 1,
    measured: `armed for the last rotation, attempt ${slot.attempt}, token until ${slot.expires_at}`,
  };
  return { check, token: slot.access_token ?? '' };
}

async function checkLabels({ secretsManager, secrets }: Environment, { rotations }: Witness): Promise<Check> {
  const description = await secretsManager.send(new DescribeSecretCommand({ SecretId: secrets.rotated }));
  const holders = Object.entries(description.VersionIdsToStages ?? {});
  const holderOf = (label: string) => holders.find(([, labels]) => labels.includes(label))?.[0];
  const pending = holderOf('AWSPENDING');
  const left = ['ROTATED_DUE', ...(pending === rotations.at(-1) ? [] : ['AWSPENDING'])].filter((label) =>
    holderOf(label),
  );
  return {
    name: 'staging labels',
    ok: holderOf('AWSCURRENT') === rotations.at(-1) && holderOf('AWSPREVIOUS') !== undefined && left.length === 0,
    measured: `AWSCURRENT on ${short(holderOf('AWSCURRENT'))}, AWSPREVIOUS on ${short(holderOf('AWSPREVIOUS'))}, left behind: ${left.join(', ') || 'none'}`,
  };
}

function checkEvents(messages: readonly Message[], { rotations }: Witness): Check[] {
  const events = messages.flatMap(({ Body = '', MessageAttributes = {} }): CloudEvent[] => {
    const parsed = cloudEventSchema.safeParse(JSON.parse(Body));
    const attributes = ['type', 'secret_name', 'client_id', 'severity'].every(
      (name) => MessageAttributes[name]?.StringValue,
    );
    return parsed.success && attributes && MessageAttributes.type?.StringValue === parsed.data.type
      ? [parsed.data]
      : [];
  });
  const names = ['rotation-started', 'pending', 'rotated'];
  const missing = rotations.flatMap((id) =>
    names.filter((name) => !events.some(({ type, data }) => type.includes(`.${name}.`) && data.version_id === id)),
  );
  const changeovers = events.flatMap(({ data }) => (data.changeover_ms === undefined ? [] : [data.changeover_ms]));
  return [
    {
      name: 'events, at a subscriber',
      ok: missing.length === 0 && events.length === messages.length,
      measured: `${messages.length} received, ${events.length} valid CloudEvents, missing: ${missing.join(', ') || 'none'}`,
    },
    {
      name: 'changeover',
      ok: changeovers.length >= rotations.length,
      measured: `${changeovers.map((ms) => `${ms} ms`).join(', ')} from the press to AWSPENDING`,
    },
  ];
}

function checkOutputs({ printed }: Witness, messages: readonly Message[], secrets: ReadonlyMap<string, string>): Check {
  const lines = [...printed, ...messages.map((message) => JSON.stringify(message))];
  const found = findCanaries(lines.join('\n'), secrets);
  return {
    name: 'secrets in what was printed',
    ok: found.length === 0,
    measured: `${found.join(', ') || 'none'} of ${secrets.size} in ${lines.length} lines and events, plain, escaped or encoded`,
  };
}

/** Receives until so many messages are there, or none comes for two seconds. */
async function receive({ sqs, queueUrl }: Environment, expected: number): Promise<Message[]> {
  const received: Message[] = [];
  for (;;) {
    const WaitTimeSeconds = received.length < expected ? 2 : 0;
    const { Messages: batch = [] } = await sqs.send(
      new ReceiveMessageCommand({
        QueueUrl: queueUrl,
        MaxNumberOfMessages: 10,
        WaitTimeSeconds,
        MessageAttributeNames: ['All'],
      }),
    );
    if (batch.length === 0) return received;
    received.push(...batch);
    await Promise.all(
      batch.map(({ ReceiptHandle }) => sqs.send(new DeleteMessageCommand({ QueueUrl: queueUrl, ReceiptHandle }))),
    );
  }
}

/** A version id as a person tells it from another. */
export function short(versionId: string | undefined): string {
  return versionId?.slice(0, 8) ?? 'none';
}
