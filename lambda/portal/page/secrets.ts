import type { Dom } from './dom.ts';
import type { Finders, Query } from './query.ts';
import type { writingsIn } from './writings.ts';

type Writings = typeof writingsIn;

/** What may be a secret, for the screenshot. Runs in the page. */
export function secrets(dom: Dom, writingsIn: Writings) {
  const { climb, unique, visible } = dom;

  /** The texts that are part of what may be a secret, which may stand in several elements; each with the element that has a box. */
  const secretTexts = (query: Query, root: Element): { text: Text; holder: Element }[] => {
    let read = '';
    const texts: { text: Text; from: number }[] = [];
    const rest: (Node | string)[] = [root];
    for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
      if (typeof next === 'string') {
        read += next;
      } else if (next instanceof Text) {
        texts.push({ text: next, from: read.length });
        read += next.nodeValue;
      } else if (next instanceof Element && !next.matches('script,style,template,noscript')) {
        const slotted = next instanceof HTMLSlotElement ? next.assignedNodes() : [];
        const children = slotted.length > 0 ? slotted : (next.shadowRoot ?? next).childNodes;
        const edge = /^(inline|contents)/.test(getComputedStyle(next).display) ? '' : '\n';
        rest.push(edge, ...[...children].reverse(), edge);
      }
    }
    const isLong = (word: string) =>
      word.length >= 16 || /.@|@./.test(word) || (word.length >= 10 && /\d/.test(word) && /[a-z]/i.test(word));
    const mixed = new RegExp(query.mixed);
    const secrets = [
      ...[...read.matchAll(/\S+/g)].filter(([word]) => isLong(word)),
      ...[...read.matchAll(new RegExp(query.groups, 'g'))].filter(([text]) => mixed.test(text)),
    ]
      .map((match) => ({ from: match.index, to: match.index + match[0].length }))
      .concat(writingsIn(read, JSON.parse(query.told) as string[]));
    const isBox = (element: Element) => getComputedStyle(element).display !== 'contents';
    return texts
      .filter(({ text, from }) => secrets.some((secret) => secret.from < from + text.length && from < secret.to))
      .flatMap(({ text }) => {
        const holder = climb(text.parentElement ?? (text.getRootNode() as ShadowRoot).host, isBox);
        return holder ? [{ text, holder }] : [];
      });
  };

  /** What is no icon may draw a code, or a text once more. */
  const isDrawing = (element: Element) => {
    if (!(element instanceof SVGSVGElement)) return false;
    const { width, height } = element.getBoundingClientRect();
    return Math.min(width, height) >= 64 || element.querySelector('text,foreignObject') !== null;
  };
  /** A table without words draws something with its cells. */
  const isMosaic = (element: Element) =>
    element instanceof HTMLTableElement && element.rows.length > 15 && !/\S/.test(element.innerText);
  /** What stands in an element with `!important` has the last word. */
  const insists = (element: Element) =>
    ['background-image', 'filter', 'text-shadow', 'overflow'].some(
      (property) => (element as HTMLElement).style?.getPropertyPriority(property) === 'important',
    ) || !/^(none)?$/.test(getComputedStyle(element).getPropertyValue('-webkit-box-reflect'));

  const finders = {
    sensitive: (query, root) =>
      unique([
        ...dom.all.filter(
          (element) => element.matches('input,textarea,select,code,pre,output,[contenteditable]') || isDrawing(element),
        ),
        ...secretTexts(query, root).map(({ holder }) => holder),
      ]).filter(visible),

    unreadable(query, root) {
      const isGenerated = (element: Element) =>
        ['::before', '::after'].some(
          (part) => getComputedStyle(element, part).content.replace(/^(normal|none)$|url\(.*?\)|\s/g, '').length >= 12,
        );
      const sticksOut = ({ text, holder }: { text: Text; holder: Element }) => {
        // What has no element in it is clipped for the picture.
        if (holder.childElementCount === 0 || /hidden|clip|auto|scroll/.test(getComputedStyle(holder).overflow))
          return false;
        const range = document.createRange();
        range.selectNodeContents(text);
        const [inner, outer] = [range.getBoundingClientRect(), holder.getBoundingClientRect()];
        return (
          inner.width * inner.height > 0 &&
          (inner.left < outer.left - 2 ||
            inner.right > outer.right + 2 ||
            inner.top < outer.top - 9 ||
            inner.bottom > outer.bottom + 9)
        );
      };
      // Where the page is drawn larger than it is measured, no mask is in its place.
      const isZoomed = getComputedStyle(document.documentElement).zoom !== '1';
      return [
        ...(isZoomed ? [root] : []),
        ...dom.all.filter(
          (element) =>
            isMosaic(element) ||
            insists(element) ||
            (element.tagName.includes('-') && !element.shadowRoot && element.childElementCount === 0) ||
            isGenerated(element),
        ),
        ...secretTexts(query, root)
          .filter(sticksOut)
          .map(({ holder }) => holder),
      ];
    },
  } satisfies Partial<Finders>;

  return { finders };
}
