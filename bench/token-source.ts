/**
 * What `getToken` costs where a live token is in hand, beside a closure that answers a promise of a token: the least that a caller can be
 * asked to await. In one run, alternating, so that both meet the same machine. Prints, asserts nothing.
 */
import { parseArgs } from 'node:util';
import { clientCredentialsTokens } from '../consumer/index.ts';

const limit = 3;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '40' } } });
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1 || rounds > 1_000) {
  throw new RangeError(`--rounds is a whole number from 1 to 1000, not ${values.rounds}`);
}
const calls = 100_000;

const source = clientCredentialsTokens({
  credentials: {
    getCredentials: async () => ({
      clientId: 'client',
      clientSecret: 'secret',
      tokenEndpoint: 'https://tokens.example/',
      versionId: 'v1',
    }),
    invalidate: () => undefined,
  },
  fetch: async () => Response.json({ access_token: 'token', token_type: 'Bearer', expires_in: 86_400 }),
});
const access = await source.getToken();
const closure = async () => access;

/** @returns ns a call */
async function time(getToken: () => Promise<{ token: string }>): Promise<number> {
  const beganMs = performance.now();
  for (let call = 0; call < calls; call++) if ((await getToken()).token === '') throw new Error('no token');
  return ((performance.now() - beganMs) / calls) * 1_000_000;
}

const contestants = { source: () => source.getToken(), closure };
const measured = { source: [] as number[], closure: [] as number[] };
for (let round = -5; round < rounds; round++) {
  for (const name of round % 2 === 0 ? (['source', 'closure'] as const) : (['closure', 'source'] as const)) {
    const ns = await time(contestants[name]);
    if (round >= 0) measured[name].push(ns);
  }
}
const median = (of: number[]) => of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)] ?? Number.NaN;
const [held, plain] = [median(measured.source), median(measured.closure)];
process.stdout.write(
  `getToken with a live token: ${held.toFixed(0)} ns a call; a closure: ${plain.toFixed(0)} ns (medians of ${rounds} rounds of ${calls} calls)\n`,
);
const ratio = held / plain;
process.stdout.write(`${ratio.toFixed(2)} times; at most ${limit} is wanted: ${ratio <= limit ? 'met' : 'NOT met'}\n`);
