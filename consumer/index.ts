export {
  type AccessToken,
  type AccessTokenSource,
  type ClientCredentialsTokensOptions,
  clientCredentialsTokens,
  type GetTokenOptions,
  type SourceEvent,
} from './client-credentials-tokens.ts';
export type { Clock } from './clock.ts';
export { ConsumerError, type ConsumerErrorCode } from './errors.ts';
export { type HandledEvent, type HandleRotationEventOptions, handleRotationEvent } from './rotation-event.ts';
export type { RotationEvent, RotationEventData } from './rotation-events.ts';
export {
  type BridgeToken,
  type ClientCredentials,
  type CredentialSource,
  type SecretsManagerCredentialsOptions,
  secretsManagerCredentials,
} from './secrets-manager-credentials.ts';
export type { ClientAuthentication } from './token-request.ts';
export { withAccessToken } from './with-access-token.ts';
