/** A secret in the forms in which text carries it: plain, JSON-escaped, URL-encoded, and base64 at each alignment. */
function formsOf(secret: string): string[] {
  const base64 = [0, 1, 2].map((offset) => {
    const text = Buffer.from(`${'.'.repeat(offset)}${secret}`)
      .toString('base64')
      .replace(/=+$/, '');
    // The first and last characters depend on what stands around the secret.
    return text.slice(offset === 0 ? 0 : 4, -2);
  });
  const forms = [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), ...base64];
  return [...forms, ...base64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))];
}

/** @returns the names of the secrets that stand in the text, in whatever form */
export function findCanaries(text: string, secrets: ReadonlyMap<string, string>): string[] {
  return [...secrets].filter(([, secret]) => formsOf(secret).some((form) => text.includes(form))).map(([name]) => name);
}
