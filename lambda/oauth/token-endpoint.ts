import { requestToken } from '../../consumer/token-request.ts';
import type { Clock, TokenEndpoint } from '../rotation/ports.ts';

/** What an access token lives where the endpoint does not say. @see provider.md, "The token endpoint" */
const defaultLifeSeconds = 3600;

const timeoutMs = 10_000;

/** The provider's token endpoint, with a deadline on every request. */
export function tokenEndpoint(clock: Clock): TokenEndpoint {
  return {
    async mint(credentials, signal) {
      const requestedAtMs = clock.now().getTime();
      const answer = await requestToken({ ...credentials, timeoutMs, signal });
      switch (answer.verdict) {
        case 'accepted': {
          const { accessToken, tokenType, expiresInSeconds = defaultLifeSeconds, scope } = answer;
          const expiresAt = new Date(requestedAtMs + expiresInSeconds * 1000);
          return { verdict: 'accepted', token: { accessToken, tokenType, expiresAt, scope } };
        }
        case 'rejected':
          return { verdict: 'rejected', detail: `status ${answer.status}${answer.error ? ` ${answer.error}` : ''}` };
        case 'unreachable':
          return { verdict: 'unreachable', detail: answer.reason };
      }
    },
  };
}
