import { setTimeout as sleep } from 'node:timers/promises';
import { Secret, TOTP, URI } from 'otpauth';
import { refusal } from './failures.ts';

/** So much of its period must be left of a code that is to be typed. */
const codeMarginMs = 4_000;

/** @throws {RotationError} configuration, without the seed in it */
export function oneTimeCodes(totpSecret: string): TOTP {
  try {
    if (!totpSecret.startsWith('otpauth:'))
      return new TOTP({ secret: Secret.fromBase32(totpSecret.replace(/[\s-]/g, '').toUpperCase()) });
    const parsed = URI.parse(totpSecret);
    if (parsed instanceof TOTP) return parsed;
  } catch {
    // What was thrown quotes the seed.
  }
  throw refusal(
    'configuration',
    'totp_secret in the login secret is neither base32 nor an otpauth://totp/ URI',
    'store the seed that the portal showed when two-factor login was set up',
  );
}

/** A code that was not tried before; one that is about to expire waits for the next. */
export async function nextCode(totp: TOTP, tried: readonly string[], signal: AbortSignal): Promise<string> {
  for (;;) {
    const code = totp.generate();
    if (totp.remaining() >= codeMarginMs && !tried.includes(code)) return code;
    await sleep(totp.remaining() + 50, undefined, { signal });
  }
}
