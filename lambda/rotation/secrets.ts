import {
  type BridgeSecret,
  parseBridgeSecret,
  parseLoginSecret,
  parseRotatedSecret,
  type RotatedSecret,
} from './client-secret.ts';
import type { ClientCredentials, DeveloperTools, Ports, SecretDescription, SecretVersion } from './ports.ts';
import { LoginRefused, RotationError } from './rotation-error.ts';
import type { Run } from './run.ts';

/** A version of the rotated secret, understood. */
export interface RotatedVersion {
  version: SecretVersion;
  secret: RotatedSecret;
}

/** What the bridge secret tells of the presses that were about to be made. */
export interface Slots {
  /** The latest slot, whatever it was for. */
  latest: { createdAt: Date; slot: BridgeSecret } | undefined;
  /** When the one before it was taken: what came earlier is not known any more. */
  knownSince: Date | undefined;
  /** How many of the two latest were armed for the rotation that runs. */
  armedForThisRotation: number;
}

/** What the token endpoint is asked with. */
export function credentialsOf(secret: RotatedSecret, clientSecret: string): ClientCredentials {
  return { tokenEndpoint: secret.token_endpoint, clientId: secret.client_id, clientSecret };
}

const tagLoginRefused = 'login-refused';

/** @throws {RotationError} configuration */
export async function readCurrent(run: Run, ports: Ports, description: SecretDescription): Promise<RotatedVersion> {
  const version = await readValue(ports, run.secretId, description.name);
  const secret = parse(ports, description, version);
  const others = [secret.login_secret_arn, secret.bridge_secret_arn];
  if (others.some((arn) => isArnOf(arn, description)) || others[0] === others[1]) {
    throw new RotationError({
      category: 'configuration',
      what: `secret ${description.name}: login_secret_arn and bridge_secret_arn must be two other secrets`,
      retryable: false,
      pressed: 'no',
      action: `correct the JSON value of secret ${description.name}`,
    });
  }
  return { version, secret };
}

/** @throws {RotationError} configuration; secret-store, where createSecret's value cannot be read yet: a read may lag a write */
export async function readPending(run: Run, ports: Ports, description: SecretDescription): Promise<RotatedVersion> {
  const version = await readPendingVersion(run, ports, description);
  return { version, secret: parse(ports, description, version) };
}

/** @throws {RotationError} secret-store */
export async function readPendingVersion(
  run: Run,
  ports: Ports,
  description: SecretDescription,
): Promise<SecretVersion> {
  const version = await ports.secrets.read(run.secretId, { versionId: run.token });
  if (version) return version;
  throw new RotationError({
    category: 'secret-store',
    what: `AWSPENDING of secret ${description.name} has no value`,
    retryable: true,
    pressed: 'unknown',
    action: 'none if the retry succeeds: it looks at the portal, and adopts what it finds there',
  });
}

function parse(ports: Ports, description: SecretDescription, version: SecretVersion): RotatedSecret {
  const secret = parseRotatedSecret(description.name, version.value);
  if (secret.client_secret) ports.learnSecret(secret.client_secret);
  return secret;
}

/** Secrets Manager takes an ARN without its six random characters too. */
function isArnOf(arn: string, { arn: whole }: SecretDescription): boolean {
  return arn === whole || arn === whole.replace(/-[^-]{6}$/, '');
}

/** @throws {RotationError} configuration, where the bridge secret holds something that is not a slot: it is not ours to overwrite */
export async function readSlots(run: Run, ports: Ports, bridgeArn: string): Promise<Slots> {
  const read = async (label: string) => {
    const version = await ports.secrets.read(bridgeArn, { label });
    const slot = version && parseBridgeSecret(bridgeArn, version.value);
    if (slot?.access_token) ports.learnSecret(slot.access_token);
    return slot && { versionId: version.versionId, createdAt: version.createdAt, slot };
  };
  // In this order: one that another invocation takes between the two reads makes both find the one before it, and none is missed.
  const latest = await read('AWSCURRENT');
  const previous = await read('AWSPREVIOUS');
  const armed = [latest, previous].filter((found) => found?.slot.armed_for === run.token);
  return {
    latest,
    knownSince: previous?.createdAt,
    armedForThisRotation: new Set(armed.map((found) => found?.versionId)).size,
  };
}

/** Logs in to the portal with the login secret, unless the portal has refused it before. */
export async function openDeveloperTools(
  run: Run,
  ports: Ports,
  description: SecretDescription,
  secret: RotatedSecret,
): Promise<DeveloperTools> {
  const version = await readValue(ports, secret.login_secret_arn, secret.login_secret_arn);
  const login = parseLoginSecret(secret.login_secret_arn, version.value);
  for (const value of [login.password, login.totp_secret]) if (value) ports.learnSecret(value);
  if (description.tags.get(tagLoginRefused) === version.versionId) {
    throw new RotationError({
      category: 'login',
      what: `the portal refused this login before (version ${version.versionId} of ${secret.login_secret_arn}); it was not tried again`,
      retryable: false,
      pressed: 'no',
      action: 'log in by hand with the stored login, then store the correct one as a new version of the login secret',
    });
  }
  // Remembered before anything else, so that no retry tries the same password again: a few wrong ones lock an account.
  const remembering = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      if (error instanceof LoginRefused) {
        await ports.secrets
          .tag(run.secretId, tagLoginRefused, version.versionId)
          .catch((cause: unknown) => ports.log('not-recorded', { error: cause }));
      }
      throw error;
    }
  };
  const account = {
    developerToolsUrl: secret.developer_tools_url,
    clientId: secret.client_id,
    username: login.username,
    password: login.password,
    totpSecret: login.totp_secret,
  };
  const tools = await remembering(ports.portal.open(account, run.signal));
  return {
    look: (signal) => remembering(tools.look(signal)),
    shown: (signal) => tools.shown(signal),
    openRotateDialog: (signal) => tools.openRotateDialog(signal),
    rehearse: (signal) => tools.rehearse(signal),
    close: () => tools.close(),
  };
}

async function readValue(ports: Ports, secretId: string, name: string): Promise<SecretVersion> {
  const version = await ports.secrets.read(secretId, { label: 'AWSCURRENT' });
  if (version) return version;
  throw new RotationError({
    category: 'configuration',
    what: `secret ${name} has no value`,
    retryable: false,
    pressed: 'no',
    action: `store the JSON value of secret ${name}; README, "Deploy", lists its keys`,
  });
}
