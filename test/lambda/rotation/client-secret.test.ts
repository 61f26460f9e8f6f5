import { describe, expect, it } from 'vitest';
import {
  defaultTokenEndpoint,
  isClientSecret,
  parseLoginSecret,
  parseRotatedSecret,
  withClientSecret,
} from '../../../lambda/rotation/client-secret.ts';

const arn = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}-AbCdEf`;

const valid = {
  client_id: 'a'.repeat(32),
  client_secret: 'canary-client-secret',
  developer_tools_url: 'https://app.example.com/developer-tools',
  login_secret_arn: arn('login'),
  bridge_secret_arn: arn('bridge'),
};

/** The message that a person would read. */
function refusal(value: unknown): string {
  try {
    parseRotatedSecret('tradeaware/client', typeof value === 'string' ? value : JSON.stringify(value));
    return 'accepted';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a rotated secret', () => {
  it('has the provider’s token endpoint unless it says otherwise', () => {
    expect(parseRotatedSecret('x', JSON.stringify(valid)).token_endpoint).toBe(defaultTokenEndpoint);
  });

  it.each([
    ['no JSON', 'canary-client-secret', 'its value is not JSON'],
    ['a number', '42', 'value: '],
    ['no client_id', { ...valid, client_id: undefined }, 'client_id: '],
    ['a mistyped key', { ...valid, login_secret_arn: undefined, login_secret: arn('login') }, 'login_secret_arn: '],
    ['a number where a text belongs', { ...valid, client_id: 5 }, 'client_id: '],
    [
      'an http URL',
      { ...valid, developer_tools_url: 'http://app.example.com/' },
      'developer_tools_url: must be an https URL',
    ],
    [
      'a URL with credentials',
      { ...valid, token_endpoint: 'https://me:canary@api.example.com/' },
      'token_endpoint: must not carry credentials',
    ],
    ['no URL', { ...valid, token_endpoint: 'canary' }, 'token_endpoint: is not a URL'],
    ['a name for an ARN', { ...valid, bridge_secret_arn: 'bridge' }, 'bridge_secret_arn: must be the ARN of a secret'],
    ['a masked client secret', { ...valid, client_secret: '••••••••' }, 'client_secret: '],
    ['a client secret of two lines', { ...valid, client_secret: 'canary\nsecret' }, 'client_secret: '],
  ])('with %s is refused by the name of the secret and the key, and no value is told', (_what, value, named) => {
    const message = refusal(value);
    expect(message).toContain(`[configuration] secret tradeaware/client: ${named}`);
    expect(message).toContain('pressed: no; next: ');
    expect(message).not.toContain('canary');
  });

  it.each(['http://localhost:8080/x', 'http://127.0.0.1:1/', 'http://[::1]:1/'])(
    'may use plain http on loopback: %s',
    (url) => {
      expect(refusal({ ...valid, token_endpoint: url })).toBe('accepted');
    },
  );

  it.each(['http://localhost.example.com/', 'http://127.0.0.1.example.com/'])('is not fooled by %s', (url) => {
    expect(refusal({ ...valid, token_endpoint: url })).toContain('must be an https URL');
  });
});

it('a login secret without a password is refused', () => {
  expect(() => parseLoginSecret('login', JSON.stringify({ username: 'x' }))).toThrow(/password: /);
});

describe('another client secret in the JSON', () => {
  it('leaves all else as it was, in its order and spelling', () => {
    const text =
      '{"big":12345678901234567890,"client_secret":"old","rate":1.0,"__proto__":{"x":1},"list":[1e3,null],"client_id":"a"}';
    expect(withClientSecret(text, 'new')).toBe(
      '{"big":12345678901234567890,"client_secret":"new","rate":1.0,"__proto__":{"x":1},"list":[1e3,null],"client_id":"a"}',
    );
  });

  it('gives the same bytes each time', () => {
    const text = JSON.stringify({ b: 1, a: { d: 2, c: 3 } }, null, 2);
    expect(withClientSecret(text, 'n')).toBe(withClientSecret(text, 'n'));
  });
});

it.each([
  ['a secret', 'gJ7-_~.x', true],
  ['bullets', '••••••••', false],
  ['dots', '........', false],
  ['asterisks', '****', false],
  ['one dot', '.', false],
  ['a partial mask', 'abc****', false],
  ['two lines', 'a\nb', false],
  ['nothing', '', false],
  ['a page', 'x'.repeat(10_000_000), false],
  ['a space', 'not a secret', false],
])('%s may be stored as a client secret: %s → %s', (_what, text, expected) => {
  expect(isClientSecret(text)).toBe(expected);
});
