import { refusal } from './failures.ts';
import { withoutValues } from './outline.ts';
import { anyOf, type PortalProfile } from './profile.ts';
import type { Way } from './way.ts';

/** What a page says, fit for a message. */
export const oneLine = (text: string) => withoutValues(text).replace(/\s+/g, ' ').trim().slice(0, 200);

/** What our client and others on the page are called. */
export interface Names {
  ours: string[];
  others: string[];
}

/** @throws {RotationError} portal-changed, unless it speaks of rotating, of nothing worse, and of no other client */
export function judge(text: string, { profile: { messages }, account: { clientId }, told }: Way, names: Names): void {
  // Where a link leads is neither seen nor heard; an id in there tells all the same.
  const words = text.replace(/^ *- \/url:.*$/gm, '');
  const [forbidden] = anyOf(messages.forbidden).exec(words) ?? [];
  const change = (what: string) => `read the dialog by hand; if it is the right one, ${what} in the portal profile`;
  if (forbidden !== undefined)
    throw refusal(
      'portal-changed',
      `the dialog speaks of something else than rotating: "${forbidden.slice(0, 60)}"`,
      change('replace messages.forbidden'),
    );
  // The ids of a provider are alike; a page may write them large. What else is known, such as the secret as it is now, is none.
  const ours = new Set([clientId, ...told].map((value) => value.toLowerCase()));
  const alike = text.match(/[\w-]+/g)?.filter((word) => word.length === clientId.length && /\d/.test(word)) ?? [];
  if (/\d/.test(clientId) && clientId.length >= 16 && alike.some((word) => !ours.has(word.toLowerCase())))
    throw refusal(
      'portal-changed',
      'the dialog names what looks like the id of another client',
      'see by hand which client that "Rotate" belongs to; set locators.rotate in the portal profile',
    );
  const other = names.others.find((name) => mentions(words, name));
  // Our name may be a part of another's.
  const rest = names.others.reduce((text, name) => text.replaceAll(name, ''), words);
  if (other !== undefined && !rest.includes(clientId) && !names.ours.some((name) => mentions(rest, name)))
    throw refusal(
      'portal-changed',
      `the dialog speaks of another client on the page: "${withoutValues(other).slice(0, 60)}"`,
      'see by hand which client that "Rotate" belongs to; set locators.rotate in the portal profile',
    );
  if (!anyOf(messages.rotating).test(words))
    throw refusal(
      'portal-changed',
      'the dialog does not speak of rotating',
      change('add its words to messages.rotating'),
    );
}

/** Whether a text has this name: not in another word, nor as a word like any other, with which a sentence begins. */
function mentions(text: string, name: string): boolean {
  return [name, name.toUpperCase()].some((written) => {
    const word = `(?<![\\p{L}\\p{N}])${RegExp.escape(written)}(?![\\p{L}\\p{N}])`;
    const within = name.includes(' ') ? word : `(?<=[^\\s.!?:][^\\S\\n]+\\W?)${word}`;
    return new RegExp(`${within}|^\\W*${word}\\W*$`, 'mu').test(text);
  });
}

export const notUnderstood = () =>
  refusal(
    'portal-changed',
    'the rotate dialog has a field, and what to type there was not understood',
    'read the dialog by hand, and set messages.typeThis in the portal profile so that its first group is the word',
  );

/**
 * @param texts what asks: an instruction, or what the field is called
 * @throws {RotationError} portal-changed, where that is for a proof that the dialog itself does not give
 */
export function refuseProof(texts: readonly string[], profile: PortalProfile): void {
  const asked = texts.flatMap((text) => [text, sentence(askedFor(text, profile))]);
  if (asked.some((text) => anyOf(profile.messages.proof).test(text))) throw proofAsked();
}

export const proofAsked = () =>
  refusal(
    'portal-changed',
    'the rotate dialog asks for a password, a PIN or a one-time code',
    'none is typed there: ask for a change of the driver if the portal needs it; if it does not, correct messages.proof in the portal profile',
  );

/** The first sentence. */
const sentence = (text: string) => text.split(/[.!?](?:\s|$)/)[0] ?? '';

/** What the text says that is to be typed, and what it goes on to say. */
function askedFor(text: string, { messages }: PortalProfile): string {
  const [, ...groups] = anyOf(messages.typeThis).exec(text) ?? [];
  return groups.find((group) => group !== undefined) ?? '';
}

/**
 * What the dialog wants typed, the likeliest first.
 *
 * @param text what the dialog says, with the field's own label and placeholder
 * @param emphasised texts in it that are set apart (code, bold)
 * @param placeholder what stands in the field until somebody types
 */
export function wordsToType(
  text: string,
  emphasised: readonly string[],
  client: { id: string; names: readonly string[] },
  profile: PortalProfile,
  placeholder?: string | null,
): string[] {
  const rest = askedFor(text.replace(/\s+/g, ' '), profile);
  const asks = sentence(rest);
  // A part of something else: "the last 4 characters".
  if (/\b(first|last|\d+)\b.{0,20}\b(characters?|letters?|digits?)\b/i.test(asks)) return [];
  const apart = emphasised.map((word) => word.trim()).filter((word) => word !== '' && rest.includes(word));
  const quoted = [...asks.matchAll(/["“”„«`]([^"“”»`]{1,100})["”“»`]|(?:^|[\s(])['‘]([^'’]{1,100})['’]/g)].map(
    ([, double, single]) => double ?? single ?? '',
  );
  const named = [...asks.matchAll(/\bname\b[\s,:(]+([^,()]{2,80}?)(?:[,)]|\s+to\b|$)/gi)].map(([, name]) => name ?? '');
  const inBrackets = [...asks.matchAll(/\(([^()]{1,100})\)/g)].map(([, text]) => text ?? '');
  const plainIn = (text: string) =>
    /^(.+?)(?:\s+(?:to|in|into|below|here|and|if|then|before|for|as)\b|[.:!,;)]|\s*$)/i.exec(text)?.[1] ?? '';
  // A label that says no more ends with its line.
  const plain = [askedFor(text, profile), asks].map(plainIn);
  const pointsTo = /\b(below|above|shown|following)\b/i.test(asks) ? placeholder : undefined;
  const words = [
    ...apart.sort((a, b) => rest.indexOf(a) - rest.indexOf(b)),
    ...quoted,
    ...(asks.includes(client.id) || /client\W{0,3}s?\s*id\b/i.test(asks) ? [client.id] : []),
    ...(/\bname\b/i.test(asks)
      ? [...named.filter((name) => !/^(of|to)\b/.test(name)), ...inBrackets, ...client.names]
      : []),
    ...plain.filter(
      (word) => !/^(the|your|this|that|a|an|my|to|in|it|client|below|above|shown|here|following)\b/i.test(word),
    ),
    pointsTo ?? '',
  ];
  return [...new Set(words.map((word) => word.replace(/["“”„«»`‘’]/g, '').trim()).filter((word) => word !== ''))];
}
