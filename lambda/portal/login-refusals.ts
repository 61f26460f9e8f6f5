import { LoginRefused, type RotationError } from '../rotation/rotation-error.ts';
import { refusal, trouble } from './failures.ts';
import { anyOf } from './profile.ts';
import type { Way } from './way.ts';

/**
 * What a page says that is neither a login nor Developer Tools: by its words, the client ids on it, and its status.
 *
 * @param login whether the password has been typed, and whether the portal has taken it
 * @returns undefined where it is nothing that is known
 */
export function refusalOn(
  { text, ids, status, place }: { text: string; ids: number; status: number | undefined; place: string },
  login: { typed: boolean; entered: boolean },
  { account, profile }: Pick<Way, 'account' | 'profile'>,
): RotationError | undefined {
  const { messages } = profile;
  const says = (labels: readonly string[]) => anyOf(labels).test(text);
  if (text.includes(account.clientId))
    return refusal(
      'portal-changed',
      'the client id stands on the page, but beside no label that is known',
      'set labels.clientId, or locators.clientId and locators.clientSecret, in the portal profile',
    );
  if (ids > 0)
    return refusal(
      'configuration',
      'Developer Tools shows another client id than the rotated secret has',
      'check client_id, developer_tools_url and whose login the login secret holds',
    );
  if (says(messages.captcha)) return captcha();
  if (!login.entered && says(messages.accountLocked)) return accountLocked();
  if (!login.entered && (says(messages.mailedCode) || says(messages.approval))) return mailedCode();
  const forbidden = status === 403;
  if (forbidden && !login.typed && !says(messages.noPermission))
    return trouble(
      'portal-unavailable',
      `the portal answered 403 for ${place} before it asked for a login`,
      'see whether a firewall or a list of networks keeps the function out; none if the retry succeeds',
    );
  if (forbidden || says(messages.noPermission))
    return refusal(
      'permission',
      'the login has no permission for Developer Tools',
      'give the login’s account the role that may see Developer Tools',
    );
  if (says(messages.noClient))
    return refusal(
      'configuration',
      'Developer Tools has no client: the portal offers to create one, which was not pressed',
      'create the client by hand and store its id in the rotated secret, or log in to the account that has it',
    );
  if (says(messages.maintenance))
    return trouble(
      'portal-unavailable',
      'the portal says that it is under maintenance',
      'none if the retry succeeds; otherwise wait for the end of the maintenance',
    );
  if (!login.entered && says(messages.otherLogin))
    return refusal(
      'login',
      'the portal offers only a login by passkey, another provider or link, which no program here can do',
      'give the login a password of its own',
    );
  return undefined;
}

export function loginRefused(what: string, action: string): LoginRefused {
  return new LoginRefused({ category: 'login', what, retryable: false, pressed: 'no', action });
}

export const accountLocked = () =>
  loginRefused(
    'the portal says that the account is locked',
    'unlock the account, then store the login as a new version of the login secret',
  );

export const captcha = () =>
  refusal(
    'login',
    'the portal wants to know whether a person is there (captcha)',
    'log in by hand from the same network once, or ask the provider to exempt this login',
  );

export const mailedCode = () =>
  refusal(
    'login',
    'the portal wants a code, link or approval that it asks for by e-mail or message, which no program here can read',
    'have the login use a password and an authenticator app, and store its seed as totp_secret',
  );
