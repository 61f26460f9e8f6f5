import * as z from 'zod/mini';
import { parseJson, text } from './parse.ts';
import { RotationError } from './rotation-error.ts';

/** @see provider.md, "The token endpoint" */
export const defaultTokenEndpoint = 'https://api.tradeaware.live-eo.com/auth/machine-to-machine-clients/token';

const loopback = /^(localhost|127(\.\d+){3}|\[::1\])$/;

/** An https URL without credentials in it; plain http on loopback only. */
export const secureUrl = z.string().check(
  z.superRefine((text, context) => {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    if (!url) return context.addIssue('is not a URL');
    if (url.username || url.password) context.addIssue('must not carry credentials');
    if (url.protocol !== 'https:' && !(url.protocol === 'http:' && loopback.test(url.hostname))) {
      context.addIssue('must be an https URL');
    }
  }),
);

const secretArn = z
  .string()
  .check(z.regex(/^arn:[^:]+:secretsmanager:[^:]+:\d{12}:secret:.+$/, 'must be the ARN of a secret'));

/** Visible and of one line. Whatever is stored or sent must be, since a page can show anything. */
const oneLine = z
  .string()
  .check(z.regex(/^[\x21-\x7e]{1,4096}$/, 'must be one line of visible ASCII characters without spaces'));

/** A portal that hides a secret shows dots or asterisks in its place, or says that it is loading; bullets are no ASCII anyway. */
const clientSecret = oneLine.check(z.refine((value) => !/^[.*]+$|[.*]{3}/.test(value), 'must not be masked'));

const rotatedSecretSchema = z.looseObject({
  client_id: text,
  client_secret: z.optional(clientSecret),
  token_endpoint: z._default(secureUrl, defaultTokenEndpoint),
  developer_tools_url: secureUrl,
  login_secret_arn: secretArn,
  bridge_secret_arn: secretArn,
});

const loginSecretSchema = z.looseObject({
  username: text,
  password: text,
  totp_secret: z.optional(text),
});

const bridgeSecretSchema = z.looseObject({
  client_id: z.optional(z.string()),
  access_token: z.optional(z.string()),
  token_type: z.optional(z.string()),
  expires_at: z.optional(z.iso.datetime()),
  scope: z.optional(z.string()),
  armed_for: z.string(),
  armed_from: z.string(),
  attempt: z.int().check(z.positive()),
  armed_by: z.string(),
  armed_at: z.iso.datetime(),
});

export type RotatedSecret = z.infer<typeof rotatedSecretSchema>;

export type BridgeSecret = z.infer<typeof bridgeSecretSchema>;

/** @throws {RotationError} configuration; names the secret and the key, never a value */
export const parseRotatedSecret = (name: string, value: string) => parseJson(rotatedSecretSchema, value, invalid(name));
export const parseLoginSecret = (name: string, value: string) => parseJson(loginSecretSchema, value, invalid(name));
export const parseBridgeSecret = (name: string, value: string) => parseJson(bridgeSecretSchema, value, invalid(name));

const invalid = (name: string) => (what: string) =>
  new RotationError({
    category: 'configuration',
    what: `secret ${name}: ${what}`,
    retryable: false,
    pressed: 'no',
    action: `correct the JSON value of secret ${name}; README, "Deploy", lists its keys`,
  });

/** Whether the text may be stored as a client secret: one line, and no mask. */
export function isClientSecret(text: string): boolean {
  return clientSecret.safeParse(text).success;
}

/** The client secret in a version's JSON, whatever else is wrong with it; undefined where there is none. */
export function clientSecretIn(value: string): string | undefined {
  try {
    return z.looseObject({ client_secret: z.string() }).parse(JSON.parse(value)).client_secret;
  } catch {
    return undefined;
  }
}

/**
 * The secret's JSON with another client secret and all else as it was. The same input gives the same bytes, so that a repeated
 * put changes nothing; numbers keep their spelling.
 */
export function withClientSecret(value: string, clientSecret: string): string {
  const keepSpelling = (_key: string, parsed: unknown, { source }: { source?: string }) =>
    typeof parsed === 'number' && source !== undefined ? rawJson(source) : parsed;
  const secret = (JSON.parse as (text: string, reviver: typeof keepSpelling) => Record<string, unknown>)(
    value,
    keepSpelling,
  );
  return JSON.stringify({ ...secret, client_secret: clientSecret });
}

const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
