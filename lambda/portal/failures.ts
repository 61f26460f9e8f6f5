import { type Category, type Pressed, RotationError } from '../rotation/rotation-error.ts';

/** A refusal before the press: trying again unchanged would end the same way. */
export function refusal(category: Category, what: string, action: string): RotationError {
  return new RotationError({ category, what, retryable: false, pressed: 'no', action });
}

/** A trouble before the press that may pass by itself. */
export function trouble(
  category: Category,
  what: string,
  action = 'none if the retry succeeds; otherwise open the portal by hand',
): RotationError {
  return new RotationError({ category, what, retryable: true, pressed: 'no', action });
}

/**
 * What the browser or Playwright threw, in our own words. Playwright's messages quote what was typed and what the page holds,
 * so nothing of them is kept but a network error's code.
 */
export function fromBrowser(error: unknown, stage: string): RotationError {
  if (error instanceof RotationError) return error;
  const message = error instanceof Error ? error.message : '';
  const [, length] = /VALUE-TOO-LONG (\d+)/.exec(message) ?? [];
  if (length) {
    return refusal(
      'portal-changed',
      `${stage}: a field holds ${length} characters, more than any client id or secret has`,
      'open Developer Tools by hand: is this the real page?',
    );
  }
  if (message.includes('PAGE-TOO-LARGE')) {
    return refusal(
      'portal-changed',
      `${stage}: the page has more than 50000 elements`,
      'open Developer Tools by hand: is this the real page?',
    );
  }
  const [, css] = /NOT-CSS (.+)/.exec(message) ?? [];
  if (css) {
    return refusal(
      'configuration',
      `${stage}: no browser takes "${css.slice(0, 100)}" for CSS`,
      'correct it in locators of the portal profile; what only Playwright knows, such as :has-text(), is no CSS',
    );
  }
  const code = /net::(ERR_\w+)/.exec(message)?.[1];
  if (code?.startsWith('ERR_CERT') || code?.startsWith('ERR_SSL')) {
    return refusal(
      'portal-unavailable',
      `${stage}: the portal's TLS certificate was not accepted (${code}); nothing was typed`,
      'find out who answers in the portal’s place before anyone logs in; check developer_tools_url',
    );
  }
  if (code) return trouble('portal-unavailable', `${stage}: the network said ${code}`);
  return trouble(
    'portal-unavailable',
    `${stage}: ${isTimeout(error) ? 'the page did not get ready in time' : 'the browser or the page broke off'}`,
  );
}

export const isTimeout = (error: unknown): error is Error => error instanceof Error && error.name === 'TimeoutError';

/**
 * Whether Playwright had made the click when it gave up: while it waited for the button to be ready for it, or for the page that the
 * click leads to. Its log alone tells; one that does not read as it does today tells nothing.
 */
export function clickedBefore(error: unknown): Pressed {
  const message = error instanceof Error ? error.message : '';
  if (/closed|crashed/.test(message)) return 'unknown';
  if (/click action done/.test(message)) return 'yes';
  const waited = /waiting for|attempting click action|strict mode violation/.test(message);
  return waited && !/performing click action/.test(message) ? 'no' : 'unknown';
}

/** The same for what is no press, where it was probably made: of several tries the last, since Playwright keeps the others from the page. */
export const probablyClicked = (error: Error): boolean =>
  /performing click action/.test(error.message.split('retrying click action').at(-1) ?? '');
