import { expect, it } from 'vitest';
import { Redactor } from '../../../lambda/rotation/redact.ts';
import { findCanaries } from '../../../local/canaries.ts';

const secret = 'p"ä\\ss/wörd+<&>=?';

const forms: [string, string][] = [
  ['plain', secret],
  ['JSON-escaped', JSON.stringify({ password: secret })],
  ['JSON in JSON', JSON.stringify(JSON.stringify({ password: secret }))],
  ['URL-encoded', `https://example.com/?p=${encodeURIComponent(secret)}`],
  ['form-encoded', new URLSearchParams({ p: secret }).toString()],
  ['base64', Buffer.from(secret).toString('base64')],
  ['base64url', Buffer.from(secret).toString('base64url')],
  ['base64 in Basic credentials', Buffer.from(`id:${secret}`).toString('base64')],
  ['base64 one byte later', Buffer.from(`i:${secret}`).toString('base64')],
];

it.each(forms)('a learnt secret is taken out: %s', (_form, text) => {
  const redactor = new Redactor();
  expect(redactor.redact(text)).toBe(text);
  redactor.learn(secret);
  const redacted = redactor.redact(`before ${text} after`);
  expect(findCanaries(redacted, new Map([['secret', secret]]))).toEqual([]);
  expect(redacted).toContain('[redacted]');
  expect(redacted).toMatch(/^before .* after$/);
});

it('a token is taken out though nobody learnt it', () => {
  const token = `${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('{"sub":"x"}').toString('base64url')}.c2lnbmF0dXJl`;
  expect(new Redactor().redact(`Bearer ${token}`)).toBe('Bearer [redacted]');
});

it('of two secrets of which one begins the other, both are taken out whole', () => {
  const redactor = new Redactor();
  redactor.learn('abcd1234');
  redactor.learn('abcd1234efgh');
  expect(redactor.redact('abcd1234efgh abcd1234')).toBe('[redacted] [redacted]');
});

it('JSON stays JSON, whatever the secrets are', () => {
  const redactor = new Redactor();
  for (const value of ['true', 'null', 'n1234567']) redactor.learn(value);
  const text = JSON.stringify({ ok: true, none: null, detail: 'was true\n1234567' }, redactor.replacer);
  expect(JSON.parse(text)).toEqual({ ok: true, none: null, detail: 'was [redacted]\n1234567' });
});
