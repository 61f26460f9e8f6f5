const mark = '[redacted]';

/** JSON Web Tokens are recognised by their form, in case one turns up that was never learnt. */
const jsonWebToken = /\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)?/g;

/**
 * Takes secrets out of text: every learnt value in the forms in which text carries it (plain, JSON-escaped, URL- and form-encoded,
 * base64 at each of its three alignments), and anything that looks like an access token. All that prints goes through it.
 */
export class Redactor {
  readonly #forms = new Set<string>();

  /** Values below 4 characters are not secrets: taking them out would only garble what is printed. */
  learn(secret: string): void {
    if (secret.length < 4) return;
    const json = JSON.stringify(secret).slice(1, -1);
    for (const form of [
      secret,
      json,
      JSON.stringify(json).slice(1, -1),
      encodeURIComponent(secret),
      new URLSearchParams({ '': secret }).toString().slice(1),
      ...base64Forms(secret),
    ]) {
      this.#forms.add(form);
    }
  }

  redact(text: string): string {
    const longestFirst = [...this.#forms].sort((a, b) => b.length - a.length);
    const known = longestFirst.reduce((rest, form) => rest.replaceAll(form, mark), text);
    return known.replace(jsonWebToken, mark);
  }

  /** For JSON.stringify: JSON that is redacted as text may be JSON no longer. */
  readonly replacer = (_key: string, value: unknown): unknown =>
    typeof value === 'string' ? this.redact(value) : value;
}

/** The characters of the base64 text that depend on the secret alone, for a secret that begins 0, 1 or 2 bytes into a group. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((offset) => {
    const padded = Buffer.concat([Buffer.alloc(offset), bytes]);
    const whole = padded.subarray(0, padded.length - (padded.length % 3));
    const own = (encoding: 'base64' | 'base64url') => whole.toString(encoding).slice(offset === 0 ? 0 : offset + 1);
    return [own('base64'), own('base64url')].filter((form) => form.length >= 6);
  });
}
