import type { Dom } from './dom.ts';
import type { Finders } from './query.ts';

export type Test = (text: string) => boolean;

/** What things are called, and what is called so. Runs in the page. */
export function names(dom: Dom) {
  const {
    upwards,
    buttonLike,
    clickable,
    control,
    silent,
    isTalking,
    closest,
    inside,
    related,
    unique,
    innermost,
    visible,
    oneLine,
    textOf,
    seenText,
    ownText,
  } = dom;

  /** As what assistive technology announces it, apart from its text. */
  const labelsOf = (element: Element): string[] => {
    const isField = element.matches(control);
    if (!isField && !element.hasAttribute('aria-label') && !element.hasAttribute('aria-labelledby')) return [];
    const root = element.getRootNode() as Document | ShadowRoot;
    const ids = (element.getAttribute('aria-labelledby') ?? '').split(/\s+/).filter(Boolean);
    const referred = ids.map((id) => root.getElementById(id)).filter((label) => label !== null);
    const given = isField ? ['aria-label', 'placeholder', 'title'] : ['aria-label'];
    const labels = isField ? [...((element as HTMLInputElement).labels ?? [])] : [];
    // A name by reference is announced even where the text that it refers to is hidden, so that it is not announced twice.
    const announced = (label: Element) =>
      label.matches(silent) ? [...label.childNodes].map((node) => textOf(node)).join('') : textOf(label);
    /** A button in a label, to copy or for help, is not what the field is called. */
    const called = (label: Element) => textOf(label, `${silent},button,[role=button]`);
    return [
      ...labels.map(called),
      referred.map(announced).join(' '),
      ...given.map((name) => element.getAttribute(name)),
    ]
      .map(oneLine)
      .filter(Boolean);
  };

  const matcher = (source: string): Test => {
    const pattern = new RegExp(source, 'i');
    // What follows a label or a name says that it is required, or offers help.
    return (text) => pattern.test(oneLine(text).replace(/(?<=[\p{L}\p{N})])[\s*:：?!ⓘℹ]+$/u, ''));
  };
  /** Whether everything that names it does so: its label as assistive technology reads it, and the text that one sees. */
  const isNamed = (element: Element, test: Test): boolean => {
    const value = element.matches('input') ? (element as HTMLInputElement).value : '';
    const text = oneLine(textOf(element));
    // A name for wide windows and one for narrow ones, or one that is said for another that is seen.
    const shown = text === '' || test(text) || element.childElementCount === 0 || text.length > 200;
    const names = [...labelsOf(element), shown ? text : seenText(element), value].filter(Boolean);
    // A symbol beside a name is decoration.
    const isSpoken = (name: string) => /[\p{L}\p{N}]/u.test(name);
    if (!names.some(isSpoken)) {
      const images = [...element.querySelectorAll('img[alt],svg > title,[role=img][aria-label]')].map(
        (image) => image.getAttribute('alt') ?? image.getAttribute('aria-label') ?? image.textContent,
      );
      names.push(
        ...[element.getAttribute('title'), element.getAttribute('alt'), ...images].map(oneLine).filter(Boolean),
      );
    }
    const spoken = names.filter(isSpoken);
    return names.length > 0 && (spoken.length > 0 ? spoken : names).every(test);
  };
  const buttonsNamed = (name: string): Element[] => {
    const test = matcher(name);
    const icons = dom.all.filter((element) => element.matches('[title],img[alt]') && !isTalking(element));
    const plain = [...dom.talking, ...icons].filter(
      (element) => !closest(element, clickable) && getComputedStyle(element).cursor === 'pointer',
    );
    const found = [...dom.all.filter((element) => element.matches(clickable)), ...plain];
    return innermost(found.filter((element) => isNamed(element, test) && visible(element)));
  };

  const oneOfEach = (elements: Element[]): Element[] => {
    // `javascript:` and `#`, unless that is a route of the page's own, lead nowhere: what such a link does is not in its address.
    const leads = (link: HTMLAnchorElement) =>
      /^https?:$/.test(link.protocol) && !/^\s*($|#(?!!?\/))/.test(link.getAttribute('href') ?? '');
    const addressOf = (element: Element) =>
      element instanceof HTMLAnchorElement && leads(element) ? element.href : element;
    const addresses = elements.map(addressOf);
    return elements.filter((_, index) => addresses.indexOf(addresses[index] as Element | string) === index);
  };

  /** The smallest visible elements whose text is such a label, and regions that are labelled so. */
  const titled = (test: Test): Element[] =>
    dom.talking.filter((element) => {
      const own = ownText(element);
      const text =
        own !== '' &&
        (test(own) || (element.childElementCount > 0 && own.length < 300 && test(textOf(element).slice(0, 300))));
      return (
        (text || (!element.matches(`${clickable},${control}`) && labelsOf(element).some(test))) && visible(element)
      );
    });

  const isButton = (element: Element) => element.matches(buttonLike) && visible(element);
  const inButton = (element: Element) => closest(element, buttonLike) !== undefined;

  const boxLike = 'input[type=checkbox]:not([aria-hidden=true]),[role=checkbox],[role=switch]';
  const isOn = (control: Element) =>
    control instanceof HTMLInputElement ? control.checked : control.getAttribute('aria-checked') === 'true';
  /** A control that a page draws itself is seen by its label. */
  const isShown = (control: Element) => [control, ...((control as HTMLInputElement).labels ?? [])].some(visible);
  /** Boxes that are ticked, or that are not. */
  const boxesThat = (areTicked: boolean): Element[] =>
    dom.all.filter(
      (box) =>
        box.matches(boxLike) &&
        // One inside another is the other's own.
        ![...upwards(box)].slice(1).some((outer) => outer.matches('[role=checkbox],[role=switch]')) &&
        isOn(box) === areTicked &&
        isShown(box),
    );
  /** Those of them with such a name. */
  const boxesNamed = (name: string, among: Element[]): Element[] => {
    const test = matcher(name);
    /** The element that the page knows it by, where a shadow root has nothing else in it. */
    const partOf = (box: Element): Element => {
      const { host } = box.getRootNode() as ShadowRoot;
      const isMore = (element: Element) => element.matches(`${boxLike},${clickable},${control}`);
      if (!host || inside(host).some((element) => !related(element, box) && isMore(element))) return box;
      return partOf(host);
    };
    const labelsFor = (box: Element): Element[] => {
      const { labels, id } = box as HTMLInputElement;
      const given = [...(box.getRootNode() as Document).querySelectorAll('label')];
      const named = given.filter((label) => id !== '' && label.htmlFor === id);
      return unique([...(labels ?? []), ...named, box.closest('label') ?? []].flat());
    };
    const namesOf = (box: Element) => {
      const part = partOf(box);
      const labels = [box, part, ...labelsFor(box), ...labelsFor(part)].map((named) => oneLine(textOf(named)));
      const names = [...labels, ...labelsOf(box)].filter(Boolean);
      const around = part.parentElement;
      const isAlone = around && inside(around).filter((element) => element.matches(boxLike)).length === 1;
      return names.length === 0 && isAlone ? [textOf(around)] : names;
    };
    return among.filter((box) => namesOf(box).some(test));
  };

  const finders = {
    clickable: (query) => oneOfEach(buttonsNamed(query.name)),
    box: ({ name }) => boxesNamed(name, boxesThat(false)),
  } satisfies Partial<Finders>;

  return {
    finders,
    labelsOf,
    matcher,
    isNamed,
    buttonsNamed,
    oneOfEach,
    titled,
    isButton,
    inButton,
    isOn,
    isShown,
    boxesThat,
    boxesNamed,
  };
}

export type Names = ReturnType<typeof names>;
