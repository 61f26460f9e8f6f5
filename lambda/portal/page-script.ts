/**
 * What runs in the page: finding by meaning what roles alone do not find, the value beside a label, the button of a section, a dialog
 * without a role; and telling what stands there.
 *
 * It runs in an isolated world that shares the DOM with the page's scripts and nothing else: a page that rewrites `Array.prototype`
 * changes nothing here. It reads, and returns elements; what it has to tell is the text of an element that is in no document. Only
 * its source text gets into the page, so it uses nothing from outside itself.
 */

import type { PageSearches, Search } from './page-search.ts';

/** A page at one moment. */
export interface PageState {
  /** What one reads on it. */
  text: string;
  /** How many parts of it are our client's. */
  clients: number;
  /** How many client ids it shows. */
  ids: number;
  /** Whether it leads to another by itself. */
  refreshes: boolean;
  /** How many fields of a login there are, where our client is not; of the codes and passwords those that the page's own code tells apart. */
  fields: Record<'username' | 'password' | 'code' | 'oneTime' | 'newPassword', number>;
  /** How many buttons beside a client id, where our client is not. */
  reveal: number;
  copy: number;
}

/** What a field shows in one part of the page. */
export interface ShownValues {
  /** How many such parts there are; with any but one there are no values. */
  parts: number;
  values: string[];
}

/** What there is to click on the way to the dialog. */
export interface DangerZone {
  parts: number;
  /** How many open it, and how many "Rotate" belong to "Rotate Secret" in there. */
  toggles: number;
  buttons: number;
}

/** A dialog at one moment. */
export interface DialogState {
  /** What one reads in it, in its slots too. Not its `textContent`: what is hidden must not be judged. */
  said: string;
  /** What else tells it from another: what its parts are called, hold, and show in shadow roots. To be compared, not read. */
  heard: string;
  /** What its buttons say: in the text, those side by side run together, "CancelRotate". */
  buttons: string[];
  /** Texts that are set apart (code, bold). */
  emphasised: string[];
  /** How many fields there are to type into, and boxes to tick. */
  fields: number;
  boxes: number;
  /** How many buttons confirm. */
  confirming: number;
  /** Where the middle of the one that does is, in the window; undefined where there is not one. */
  place: { x: number; y: number } | undefined;
  /** Whether a click there would meet that button, and it is enabled. */
  hit: boolean;
  enabled: boolean;
  /** Whether it is still coming in: not seen yet, or animated, but for what never ends. */
  comesIn: boolean;
}

/** A search, with the labels as the source of one pattern each. */
export type Query = Record<
  | 'find'
  | 'label'
  | 'otherLabels'
  | 'name'
  | 'zone'
  | 'section'
  | 'says'
  | 'id'
  | 'mask'
  | 'kind'
  | 'decline'
  | 'other'
  | 'submit'
  | 'otherForms'
  | 'box'
  | 'fields'
  | 'groups'
  | 'mixed'
  | 'told',
  string
> &
  Record<'minLength' | 'maxValueLength' | 'index', number> & {
    hiddenToo?: boolean;
    besideToo?: boolean;
    css?: string;
    confirm?: string;
    zoneCss?: string;
    buttonCss?: string;
    part?: Query | undefined;
    page?: Record<keyof PageSearches, Query>;
  };

/** A selector engine. @see Playwright, "Extensibility", custom selector engines */
export function pageScript() {
  const buttonLike =
    'button,summary,input[type=submit],input[type=button],[role=button],[role=tab],[role=menuitem],[onclick]';
  const clickable = `${buttonLike},a[href],[role=link]`;
  const control =
    'textarea,input:not([type=hidden],[type=checkbox],[type=radio],[type=button],[type=submit],[type=image],[type=file])';
  const dialogLike = 'dialog[open],[role=dialog],[role=alertdialog],[aria-modal=true],[popover]:not([role=tooltip])';
  const headingLike = 'h1,h2,h3,h4,h5,h6,[role=heading]';
  /** Icons of a font that draws their names. */
  const ligature = ':is(i,span,mat-icon):is([class*=material-icons],[class*=material-symbols])';
  const silent = `script,style,template,noscript,svg,[aria-hidden=true],${ligature}`;

  const isText = (node: Node | null) => node?.nodeType === Node.TEXT_NODE && /\S/.test(node.nodeValue ?? '');
  /** What is said in the element itself, not in those within it. */
  const textNodes = (element: Element): Node[] => {
    const texts: Node[] = [];
    for (let node = element.firstChild; node; node = node.nextSibling) if (isText(node)) texts.push(node);
    return texts;
  };

  /** All elements below the start of this search, in the order of the document, shadow roots included. */
  let all: Element[] = [];
  let start: Element | undefined;
  let order = new Map<Element, number>();
  /** Those with a text of their own, or with a label that is not seen. */
  let talking: Element[] = [];
  let isTalking = new Set<Element>();
  let shadows = false;
  const at = (element: Element) => order.get(element) ?? -1;
  const survey = (root: Element) => {
    if (root === start) return;
    const found = new Set<Element>();
    start = root;
    ownTexts = new Map();
    shadows = root.shadowRoot !== null || root.getRootNode() !== document;
    const rest = [...(root.shadowRoot?.children ?? []), ...root.children].reverse();
    for (let next = rest.pop(); next; next = rest.pop()) {
      if (found.has(next)) continue;
      found.add(next);
      if (found.size > 50_000) throw new Error('PAGE-TOO-LARGE');
      shadows ||= next.shadowRoot !== null;
      const slotted = next instanceof HTMLSlotElement ? next.assignedElements() : [];
      rest.push(...[...(next.shadowRoot?.children ?? []), ...slotted, ...next.children].reverse());
    }
    all = [...found];
    order = new Map(all.map((element, index) => [element, index]));
    talking = all.filter(
      (element) =>
        (textNodes(element).length > 0 || element.matches('[aria-label],[aria-labelledby]')) &&
        !element.matches(`${silent},option,title`),
    );
    isTalking = new Set(talking);
  };

  /** The element, and what it is in, as a reader sees it: out of shadow roots too. */
  function* upwards(element: Element | null): Generator<Element> {
    for (let next = element; next; ) {
      yield next;
      next =
        next.assignedSlot ??
        next.parentElement ??
        ((next.getRootNode() as ShadowRoot).host as Element | undefined) ??
        null;
    }
  }
  const climb = (element: Element, test: (area: Element) => boolean) => upwards(element).find(test);
  const closest = (element: Element, selector: string) => climb(element, (area) => area.matches(selector));
  const within = (outer: Element, inner: Element) =>
    outer.contains(inner) || (shadows && climb(inner, (area) => area === outer) !== undefined);
  const inside = (area: Element) => all.filter((element) => element !== area && within(area, element));
  const related = (a: Element, b: Element) => within(a, b) || within(b, a);
  const unique = (elements: Element[]) => [...new Set(elements)];
  const innermost = (elements: Element[]) =>
    elements.filter((element) => !elements.some((other) => other !== element && within(element, other)));

  let hiddenToo = false;
  const visible = (element: Element): boolean => {
    if (hiddenToo) return true;
    const { width, height } = element.getBoundingClientRect();
    // A slot, above all, has no box; its text is where its parent is.
    if (width <= 0 && element.parentElement && getComputedStyle(element).display === 'contents')
      return visible(element.parentElement);
    if (width <= 0 || height <= 0 || !element.checkVisibility({ visibilityProperty: true })) return false;
    // A section folded by its height still has elements of their own size in it.
    const isFolded = (area: Element) => {
      if (area === element || area === document.body || (area.clientHeight > 0 && area.clientWidth > 0)) return false;
      const { overflow, display } = getComputedStyle(area);
      return /hidden|clip/.test(overflow) && display !== 'inline';
    };
    const folded = climb(element, isFolded);
    // What is fixed is clipped by nothing around it.
    return (
      folded === undefined ||
      [...upwards(element)].some(
        (area) => within(folded, area) && area !== folded && getComputedStyle(area).position === 'fixed',
      )
    );
  };
  /** Whether it can be filled in or clicked, once it is brought into view. */
  const hasBox = (element: Element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 0 && height > 0 && element.checkVisibility({ visibilityProperty: true });
  };

  const oneLine = (text: string | null | undefined) => (text ?? '').replace(/\s+/g, ' ').trim();
  /** The text without decoration; never more than anything of ours needs. */
  const textOf = (node: Node, without = silent): string => {
    if (node.nodeType === Node.TEXT_NODE) return (node.nodeValue ?? '').slice(0, 5_000);
    if (node instanceof Element && node.matches(without)) return '';
    let text = '';
    const slotted = node instanceof HTMLSlotElement ? node.assignedNodes() : [];
    const children = (node instanceof Element && node.shadowRoot ? node.shadowRoot : node).childNodes;
    for (const child of slotted.length > 0 ? slotted : children) {
      if (text.length < 5_000) text += textOf(child, without);
    }
    return text;
  };
  const seenText = (element: Element) => oneLine((element as HTMLElement).innerText ?? textOf(element));
  let ownTexts = new Map<Element, string>();
  const ownText = (element: Element): string => {
    const known = ownTexts.get(element);
    if (known !== undefined) return known;
    const text = oneLine(
      [...element.childNodes].map((node) => (node.nodeType === Node.TEXT_NODE ? textOf(node) : ' ')).join(''),
    );
    ownTexts.set(element, text);
    return text;
  };
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

  type Test = (text: string) => boolean;
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
    const icons = all.filter((element) => element.matches('[title],img[alt]') && !isTalking.has(element));
    const plain = [...talking, ...icons].filter(
      (element) => !closest(element, clickable) && getComputedStyle(element).cursor === 'pointer',
    );
    const found = [...all.filter((element) => element.matches(clickable)), ...plain];
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
    talking.filter((element) => {
      const own = ownText(element);
      const text =
        own !== '' &&
        (test(own) || (element.childElementCount > 0 && own.length < 300 && test(textOf(element).slice(0, 300))));
      return (
        (text || (!element.matches(`${clickable},${control}`) && labelsOf(element).some(test))) && visible(element)
      );
    });

  const middleOf = (element: Element) => {
    const { x, y, width, height } = element.getBoundingClientRect();
    return { x: x + width / 2, y: y + height / 2 };
  };
  /** What a click there would meet. */
  const topOf = (element: Element): Element | null => {
    const { x, y } = middleOf(element);
    let top = document.elementFromPoint(x, y);
    for (let deeper = top; deeper; ) {
      top = deeper;
      deeper = top.shadowRoot?.elementFromPoint(x, y) ?? null;
      if (deeper === top) break;
    }
    return top;
  };

  /** Whether a click on its middle would meet it. */
  const isHit = (element: Element): boolean => {
    const top = topOf(element);
    // The host of a shadow root stands for a text in there that was put in from outside.
    return top !== null && (within(element, top) || element.getRootNode() === top.shadowRoot);
  };
  const isEnabled = (element: Element) =>
    !closest(element, 'button,input')?.matches(':disabled') &&
    closest(element, '[aria-disabled=true],[aria-disabled=false]')?.getAttribute('aria-disabled') !== 'true';

  const comesIn = (element: Element) =>
    !element.checkVisibility({ opacityProperty: true }) ||
    [...upwards(element)]
      .flatMap((area) => area.getAnimations())
      .some(({ playState, effect }) => playState === 'running' && Number(effect?.getComputedTiming().endTime) < 10_000);

  /** What is no part of the value that stands in the same element. */
  const aside = 'button,[role=button],[aria-hidden=true]';
  const isAside = (node: Element | null, element: Element) => {
    const outer = node?.closest(aside);
    return outer != null && outer !== element && element.contains(outer);
  };
  const valueIn = (element: Element) => {
    if (element.matches('input,textarea')) return (element as HTMLInputElement).value.trim();
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let value = '';
    while (texts.nextNode())
      if (!isAside(texts.currentNode.parentElement, element)) value += texts.currentNode.nodeValue;
    return value.trim();
  };
  const isButton = (element: Element) => element.matches(buttonLike) && visible(element);
  const inButton = (element: Element) => closest(element, buttonLike) !== undefined;

  /** A label and its value in one element: in one text, or the label in an element of its own, or a line of its own. */
  const labelAndValue = (element: Element): [label: string, value: string] | undefined => {
    const [, label, value] = /^([^:：]{2,60})[:：]\s*(\S+)$/.exec(ownText(element)) ?? [];
    if (label !== undefined && value !== undefined) return [label, value];
    if (element.childElementCount === 0 || element.childNodes.length > 9 || element.matches(`${headingLike},label`))
      return undefined;
    const parts = [...element.childNodes]
      .filter((node) => !(node instanceof Element && node.matches(aside)))
      .map((node) => ({ text: oneLine(textOf(node)), isText: node.nodeType === Node.TEXT_NODE }))
      .filter(({ text }) => text !== '');
    const [first, last] = parts;
    // No word, date or version, which may be a part of a sentence.
    if (!first || !last?.isText || parts.length !== 2 || !/^(?=.{16}|.*[^\w\s]{3})\S+$/.test(last.text))
      return undefined;
    return [first.text.replace(/\s*[:：]$/, ''), last.text];
  };
  const fieldValues = (query: Query): Element[] => {
    const found = query.css ? matching(query.css) : labelledValues(query);
    const tooLong = found
      .map((element) => valueShown(element, query).length)
      .find((length) => length > query.maxValueLength);
    if (tooLong !== undefined) throw new Error(`VALUE-TOO-LONG ${tooLong}`);
    return unique(found);
  };
  const labelledValues = (query: Query): Element[] => {
    const isLabel = matcher(query.label);
    const isOther = matcher(query.otherLabels);
    const masked = new RegExp(query.mask, 'u');
    const isValue = (text: string) => {
      // Help beside a label, no mask.
      if (/^[?!*iⓘℹ]$/.test(text)) return false;
      if (query.minLength === 0) return text !== '' && text.length < 200;
      return (
        (text.length >= query.minLength && !/\s/.test(text.slice(0, 5_000))) ||
        (text.length < 5_000 && masked.test(text.replace(/\s/g, '')))
      );
    };
    const isInline = (element: Element) => {
      const [label, value] = labelAndValue(element) ?? [];
      return label !== undefined && value !== undefined && isLabel(label) && isValue(value) && !inButton(element);
    };
    /** Whether more of the value stands beside it: an ellipsis, or another piece like it. */
    const isPiece = (element: Element) => {
      const { previousSibling: before, nextSibling: after } = element;
      if (/^\s*(…|\.{3})\s*$/.test(before?.textContent ?? '') || /^\s*(…|\.{3})\S*\s*$/.test(after?.textContent ?? ''))
        return true;
      return [before, after].some(
        (other) =>
          other instanceof Element &&
          other.tagName === element.tagName &&
          other.className === element.className &&
          getComputedStyle(element).display === 'inline' &&
          // No word: what copies it may be called so.
          /^(?=.*[\d_~.-])\S{4,}$/.test(other.textContent ?? ''),
      );
    };
    const isHolder = (element: Element) => {
      if (!visible(element)) return false;
      if (element.matches(control)) {
        // Nobody sees the placeholder of a field that has a value and keeps it.
        const { readOnly, disabled, value, placeholder } = element as HTMLInputElement;
        const unseen = (readOnly || disabled) && value !== '' ? oneLine(placeholder) : undefined;
        return labelsOf(element).every((text) => text === unseen || isLabel(text) || masked.test(text));
      }
      // An id may be a button that copies it; of anything else the text of a button is no value.
      const isPlainButton = inButton(element) && (query.id === undefined || valueIn(element) !== query.id);
      if (isPiece(element)) return false;
      const isTitle = (area: Element) =>
        area.matches(`${headingLike},dt,th,option`) || (area instanceof HTMLLabelElement && area.control !== null);
      if (isPlainButton || climb(element, isTitle) || !isValue(valueIn(element))) return false;
      const unit = closest(element, 'code,pre,kbd,samp,output');
      return unit
        ? unit === element
        : ownText(element) !== '' &&
            ![...element.querySelectorAll('*')].some(
              (inner) => !isAside(inner, element) && (inner.matches(control) || ownText(inner) !== ''),
            );
    };
    /** "production" or "active" beside the label, and not the value itself. */
    const isWord = (element: Element) =>
      query.minLength > 0 && !element.matches(control) && /^[a-z]{1,15}$/i.test(valueIn(element));
    const found = [...talking, ...all.filter((element) => element.matches(control))].filter((element) => {
      if (element.matches(control)) return labelsOf(element).some(isLabel) && visible(element);
      const labelled =
        !element.matches(clickable) &&
        labelsOf(element).some(isLabel) &&
        isValue(valueIn(element)) &&
        !inside(element).some((inner) => isLabel(ownText(inner)));
      return (labelled || isInline(element)) && visible(element);
    });
    const labels = found.flatMap((element) => [...((element as HTMLInputElement).labels ?? [])]);
    const titles = [...titled(isLabel), ...columnHeads(isLabel)].filter(
      (title) => !inButton(title) && ![...found, ...labels].some((element) => within(element, title)),
    );
    const otherTitles = titled(isOther).filter((title) => !titles.includes(title));
    for (const title of titles) {
      const cells = cellsOf(title);
      if (cells.length > 0) {
        found.push(...cells.flatMap((cell) => [cell, ...inside(cell)].filter(isHolder).slice(0, 1)));
        continue;
      }
      if (at(title) < 0) continue;
      const end = Math.min(...otherTitles.map(at).filter((index) => index > at(title)), all.length);
      /** What the label names itself counts, whatever else it is called. */
      const isOwn = (element: Element) =>
        [...((element as HTMLInputElement).labels ?? [])].some((label) => within(label, title));
      const isHere = (element: Element) =>
        isHolder(element) || (element.matches(control) && isOwn(element) && visible(element));
      let badge: Element | undefined;
      for (const area of [...upwards(title)].slice(0, 7)) {
        const beside = inside(area).filter((element) => at(element) > at(title) && at(element) < end);
        // Nothing beyond a field that has another name.
        const other = beside.findIndex((element) => element.matches(control) && visible(element) && !isHere(element));
        const holders = beside.slice(0, other < 0 ? undefined : other).filter(isHere);
        const holder = holders.find((element) => !isWord(element) || valueIn(element) === query.id);
        badge ??= holders[0];
        if (holder) found.push(holder);
        // A field that has a button and no value is one that hides it.
        if (holder || other >= 0 || (area !== title && beside.some(isButton)) || at(area) < 0) {
          if (!holder && badge) found.push(badge);
          break;
        }
      }
    }
    return found;
  };

  /** Fields to type into, by their kind or their name. */
  const fieldsKnown = (query: Query): Element[] => {
    const isLabel = matcher(query.label);
    const beside = query.besideToo ? labelledValues({ ...query, minLength: 1 }) : [];
    return all.filter(
      (element) =>
        element.matches(control) &&
        element.matches('input:not([readonly],[disabled])') &&
        (element.matches(query.kind) || labelsOf(element).some(isLabel) || beside.includes(element)),
    );
  };

  /** Boxes for a code, a character each: four to eight narrow ones alike, in one line. */
  const codeBoxes = (): Element[] => {
    const lines = new Map<string, Element[]>();
    for (const element of all) {
      if (!element.matches(control) || element.matches('textarea,[readonly],[disabled]') || !hasBox(element)) continue;
      const { top, width } = element.getBoundingClientRect();
      if (width > 100) continue;
      const line = `${Math.round(top)} ${Math.round(width)}`;
      lines.set(line, [...(lines.get(line) ?? []), element]);
    }
    return [...lines.values()].filter(({ length }) => length >= 4 && length <= 8).flat();
  };

  /** What stands above the columns of a table of which this part of the page is a row. */
  const columnHeads = (test: Test): Element[] =>
    [...(start?.closest('table')?.rows ?? [])]
      .filter(({ cells }) => [...cells].every((cell) => cell.matches('th')))
      .flatMap(({ cells }) => [...cells])
      .filter((head) => at(head) < 0 && test(textOf(head)) && visible(head));

  /** The cells that a definition list or a table has for this title. */
  const cellsOf = (title: Element): Element[] => {
    const cell = closest(title, 'dt,th,td');
    const siblings = [...(cell?.parentElement?.children ?? [])];
    const after = cell ? siblings.slice(siblings.indexOf(cell) + 1) : [];
    if (!(cell instanceof HTMLTableCellElement)) {
      const end = after.findIndex((element) => element.matches('dt'));
      return after.slice(0, end < 0 ? undefined : end);
    }
    if (siblings.length < 2 || !siblings.every((element) => element.matches('th'))) return after.slice(0, 1);
    const column = [...(cell.closest('table')?.rows ?? [])].map((row) => row.cells[cell.cellIndex]);
    return column.filter((element) => element !== undefined && element !== cell && at(element) >= 0) as Element[];
  };

  const fieldButtons = (query: Query): Element[] => {
    const isLabel = matcher(query.label);
    const starts = [
      ...titled(isLabel),
      ...all.filter((element) => element.matches(control) && labelsOf(element).some(isLabel)),
      ...fieldValues({ ...query, minLength: 8 }),
    ];
    const buttons = starts.length > 0 ? buttonsNamed(query.name) : [];
    if (buttons.length === 0) return [];
    const others = titled(matcher(query.otherLabels));
    return unique(
      starts.flatMap((start) => {
        const area = climb(start, (outer) => buttons.some((button) => within(outer, button)));
        const foreign =
          area === undefined || others.some((other) => other !== start && within(area, other) && !within(other, area));
        if (!foreign) return buttons.filter((button) => within(area, button));
        // Fields in a row, without anything around each: what stands before the next thing that has a name.
        const isNext = (element: Element) =>
          (element.matches(`${headingLike},dt,th,label,legend,${control}`) || others.includes(element)) &&
          !related(element, start);
        const next = all.findIndex((element, index) => index > at(start) && isNext(element));
        return buttons.filter((button) => at(button) > at(start) && (next < 0 || at(button) < next));
      }),
    );
  };

  const rank = (element: Element): number => {
    const heading = closest(element, headingLike) ?? element.querySelector(headingLike);
    return Number(heading?.getAttribute('aria-level') ?? /^h(\d)$/i.exec(heading?.tagName ?? '')?.[1] ?? 7);
  };
  /** What folds a section may be a button beside its title, in a part of the page that says nothing else; a menu folds nothing. */
  const toggleBeside = (title: Element): Element | undefined => {
    if (getComputedStyle(title).cursor === 'pointer') return undefined;
    const foldings = all.filter(
      (element) => element.matches('[aria-expanded]:not([aria-haspopup])') && visible(element),
    );
    const area = climb(title, (outer) => foldings.some((folding) => within(outer, folding)));
    const [toggle, ...others] = area
      ? inside(area).filter((element) => element.matches(`${clickable},${control},[aria-expanded]`))
      : [];
    if (!area || !toggle || others.length > 0) return undefined;
    const says = (element: Element) => oneLine(textOf(element));
    return oneLine(says(area).replace(says(toggle), '')) === says(title) ? toggle : undefined;
  };
  const toggleOf = (title: Element): Element =>
    closest(title, `${clickable},[aria-expanded]`) ?? toggleBeside(title) ?? closest(title, headingLike) ?? title;

  /** Or in none. */
  const inSameDialog = (a: Element, b: Element) => closest(a, dialogLike) === closest(b, dialogLike);
  const inZone = (zone: Element, title: Element): boolean => {
    if (zone === title || !inSameDialog(zone, title)) return false;
    if (within(zone, title)) return true;
    const controlled = toggleOf(zone).getAttribute('aria-controls');
    const panel = closest(zone, 'summary')
      ? closest(zone, 'details')
      : controlled && (zone.getRootNode() as Document).getElementById(controlled);
    if (panel) return within(panel, title);
    const between = all.slice(at(zone), Math.max(at(zone), at(title)));
    const ends = (element: Element) =>
      element.matches(headingLike) &&
      !related(element, zone) &&
      !within(element, title) &&
      rank(element) <= rank(zone) &&
      visible(element);
    return at(zone) < at(title) && (rank(zone) === 7 || !between.some(ends));
  };

  /** What heads a row, where it is no sentence about it. */
  const isHeading = (text: string, mostWords = 3) => text.split(/\s+/).length <= mostWords && /[^\s.!?…]$/.test(text);
  const readsAsHeading = (element: Element) => isHeading(ownText(element) || oneLine(textOf(element)));
  const titleTags = `${headingLike},dt,th,legend,label,strong,b`;
  /** A part of a sentence is emphasised, and no title. */
  const isEmphasis = (element: Element) => {
    let before = element.previousSibling;
    while (before?.nodeType === Node.TEXT_NODE && !/\S/.test(before.nodeValue ?? '')) before = before.previousSibling;
    return before?.nodeType === Node.TEXT_NODE && !/[.!?:…]\s*$/.test(before.nodeValue ?? '');
  };

  /**
   * Whether the button belongs to the section with this title, and to no other title that stands between them or around it.
   *
   * @param buttons all of that name in the Danger Zone
   */
  const owns = (title: Element, button: Element, buttons: Element[]): boolean => {
    if (within(button, title)) return false;
    if (within(title, button)) {
      const others = textNodes(title)
        .slice(1)
        .map((text) => oneLine(textOf(text)));
      const isAlone = inside(title).filter(isButton).length === 1;
      return labelsOf(title).length > 0 || (isAlone && !others.some((text) => isHeading(text)));
    }
    const area = climb(title, (outer) => within(outer, button)) as Element;
    /** The name of a button of the page's own making may be put into it from outside. */
    const isItsName = (node: Node) => node instanceof Text && node.assignedSlot && within(button, node.assignedSlot);
    const textsOf = (element: Element) => textNodes(element).filter((text) => !isItsName(text));
    const isTitleLike = (element: Element) =>
      element.matches(titleTags) || (element.tagName === title.tagName && readsAsHeading(element));
    const talks = (element: Element) =>
      isTalking.has(element) &&
      !inButton(element) &&
      (textNodes(element).length === 0 || textsOf(element).length > 0) &&
      !element.matches('i,[class*=icon i],[class*=badge i]') &&
      visible(element);
    const talkingBefore = (element: Element) =>
      talking.filter(
        (other) => at(other) < at(element) && within(area, other) && !related(other, element) && talks(other),
      );
    const isBefore = (node: Node) => (node.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
    const sideOf = (element: Element) => [...upwards(element)].find((outer) => outer.parentElement === area) ?? element;
    const shape = (element: Element) => `${element.tagName}.${element.getAttribute('class')}`;
    const [ours, theirs] = [sideOf(title), sideOf(button)];
    const isAfter = at(button) > at(title);
    if (isAfter) {
      // Where a button comes first and its title follows, the button after ours is the next title's.
      const leads = (other: Element) =>
        at(other) < at(title) && within(area, other) && !talkingBefore(other).some(isTitleLike);
      if (buttons.some(leads)) return false;
    } else {
      // A button before its title is the first thing there, and no other button or title stands between them.
      const between = all
        .slice(at(button), at(title))
        .filter((other) => !related(other, button) && !related(other, title));
      if (between.some((other) => isButton(other) || (talks(other) && isTitleLike(other)))) return false;
      if (talkingBefore(button).length > 0) return false;
      const around = [...upwards(button)].filter((outer) => outer !== button && within(area, outer));
      if (around.some((outer) => textsOf(outer).some(isBefore))) return false;
    }
    // A row of its own, by what it says beside its buttons.
    const said = theirs === button ? [] : inside(theirs).filter(talks);
    const isLike = (ours !== title || ours.matches('li,tr')) && shape(ours) === shape(theirs);
    if (theirs !== button && !theirs.matches('dd,td') && textsOf(theirs).length > 0) return false;
    if (said.length > 0 && (!isAfter || isLike || said.some(isTitleLike))) return false;
    const isOtherTitle = (element: Element) => {
      if (element.tagName !== title.tagName || element.parentElement !== title.parentElement) return false;
      return element.matches(titleTags) ? !isEmphasis(element) : readsAsHeading(element);
    };
    /** In a grid the cells of all rows stand side by side: another cell's title is as deep in it as ours. */
    const pathOf = (element: Element) => {
      const outwards = [...upwards(element)];
      return outwards
        .slice(0, outwards.indexOf(area))
        .map(({ tagName }) => tagName)
        .join();
    };
    const isInOtherCell = (element: Element) =>
      ours !== title &&
      !within(ours, element) &&
      !within(theirs, element) &&
      talks(element) &&
      pathOf(element) === pathOf(title) &&
      (element.matches(titleTags) || isHeading(ownText(element), 6));
    const between = isAfter ? all.slice(at(title), at(button)) : inside(area);
    return !between.some((element) => {
      if (
        related(element, title) ||
        related(element, button) ||
        inButton(element) ||
        !visible(element) ||
        !oneLine(textOf(element))
      )
        return false;
      if (element.matches(`${headingLike},dt,legend`)) return rank(element) <= rank(title);
      if (isAfter && (isOtherTitle(element) || isInOtherCell(element))) return true;
      return shape(element) === shape(title) && all.slice(at(title), at(element)).some(isButton);
    });
  };

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
      ...read.matchAll(new RegExp(query.told, 'gi')),
    ].map((match) => ({ from: match.index, to: match.index + match[0].length }));
    const isBox = (element: Element) => getComputedStyle(element).display !== 'contents';
    return texts
      .filter(({ text, from }) => secrets.some((secret) => secret.from < from + text.length && from < secret.to))
      .flatMap(({ text }) => {
        const holder = climb(text.parentElement ?? (text.getRootNode() as ShadowRoot).host, isBox);
        return holder ? [{ text, holder }] : [];
      });
  };

  /** Boxes with such a name that are not ticked. */
  const boxes = (name: string): Element[] => {
    const test = matcher(name);
    const boxLike = 'input[type=checkbox]:not([aria-hidden=true]),[role=checkbox],[role=switch]';
    const isTicked = (box: Element) =>
      box instanceof HTMLInputElement ? box.checked : box.getAttribute('aria-checked') === 'true';
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
    const isShown = (box: Element) => [box, ...((box as HTMLInputElement).labels ?? [])].some(visible);
    return all.filter(
      (box) =>
        box.matches(boxLike) &&
        // One inside another is the other's own.
        ![...upwards(box)].slice(1).some((outer) => outer.matches('[role=checkbox],[role=switch]')) &&
        !isTicked(box) &&
        isShown(box) &&
        namesOf(box).some(test),
    );
  };

  const matching = (css: string): Element[] => {
    try {
      return all.filter((element) => element.matches(css));
    } catch {
      throw new Error(`NOT-CSS ${css}`);
    }
  };
  /** What the profile has a locator for may say its value in many ways. */
  const valueShown = (element: Element, { css }: Query): string => {
    if (!css) return valueIn(element);
    const shower = element instanceof HTMLLabelElement ? (element.control ?? element) : element;
    if (shower.matches('input,textarea,select')) return (shower as HTMLInputElement).value.trim();
    return shower.getAttribute('value') ?? (valueIn(shower) || oneLine(textOf(shower)));
  };

  /** The value without the label that may stand in the same element. */
  const unlabelled = (element: Element, query: Query): string => {
    const [label, value] = labelAndValue(element) ?? [];
    if (label !== undefined && value !== undefined && matcher(query.label)(label)) return value;
    const shown = valueShown(element, query);
    return query.css ? shown.replace(/^[^:：]{2,60}[:：]\s+(?=\S+$)/, '') : shown;
  };

  /** What was put into slots in there, and is no part of its own text: the document has it elsewhere. */
  const slottedInto = (root: Element): Element[] => {
    const slots = all.filter((element) => element instanceof HTMLSlotElement);
    const put = slots.flatMap((slot) => slot.assignedElements());
    return put.filter(
      (element) =>
        element instanceof HTMLElement &&
        !root.contains(element) &&
        !put.some((other) => other !== element && other.contains(element)) &&
        visible(element),
    );
  };

  const innerText = (element: Element) => ((element as HTMLElement).innerText ?? '').slice(0, 20_000);
  /** What is in shadow roots too. */
  const fullText = (area: Element) => {
    const hosts = shadows ? [area, ...inside(area)] : [];
    const roots = hosts.flatMap(({ shadowRoot }) => [...(shadowRoot?.children ?? [])]);
    return [area, ...roots.filter((root) => !root.matches(silent) && visible(root))].map(innerText).join('\n');
  };
  const saidIn = (root: Element) => [root, ...slottedInto(root)].map(innerText).join('\n');
  const heardIn = () =>
    JSON.stringify(
      all.map((element) => [
        ...labelsOf(element),
        ...['title', 'alt'].map((name) => element.getAttribute(name)),
        element.matches('input,textarea,select') ? (element as HTMLInputElement).value.slice(0, 5_000) : '',
        element.getRootNode() === document ? '' : ownText(element),
      ]),
    );

  /** The dialog that was told of last. */
  let toldDialog: Element | undefined;

  /** In an element that is in no document, where no script of the page can get at it. */
  const tell = (facts: unknown): Element[] => {
    const element = document.createElement('p');
    element.textContent = JSON.stringify(facts);
    return [element];
  };

  const finders: Record<Search['find'], (query: Query, root: Element) => Element[]> = {
    client(query, root) {
      const ids = fieldValues(query);
      const shows = (element: Element) => [valueShown(element, query), unlabelled(element, query)].includes(query.id);
      const others = ids.filter((element) => !shows(element));
      const isOurs = (area: Element) => within(root, area) && !others.some((other) => within(area, other));
      const parts = unique(ids.filter(shows).map((ours) => [...upwards(ours)].filter(isOurs).at(-1) ?? ours));
      const isSecret = matcher(query.otherLabels);
      const hasSecret = (part: Element) =>
        [...titled(isSecret), ...all.filter((element) => labelsOf(element).some(isSecret))].some((element) =>
          within(part, element),
        );
      return parts.length < 2 ? parts : parts.filter(hasSecret);
    },

    value: fieldValues,
    'field-button': fieldButtons,
    'part-of-button'(query, root) {
      const buttons = fieldButtons(query);
      const isOnly = (area: Element, button: Element) =>
        within(root, area) && !buttons.some((other) => other !== button && within(area, other));
      return buttons
        .slice(query.index, query.index + 1)
        .map((button) => [...upwards(button)].filter((area) => isOnly(area, button)).at(-1) ?? button);
    },

    zone(query) {
      const kinds = [
        'summary,[aria-expanded],[role=tab]',
        'button,[role=button]',
        headingLike,
        ':not(a[href],[role=link])',
        '*',
      ];
      const toggles = unique(titled(matcher(query.zone)).map(toggleOf)).filter(visible);
      const likeliest =
        kinds.map((kind) => toggles.filter((toggle) => toggle.matches(kind))).find((some) => some.length > 0) ?? [];
      return likeliest.filter(
        (toggle) => toggle.getAttribute('aria-expanded') !== 'true' && !toggle.matches('details[open] > summary'),
      );
    },

    rotate(query) {
      const zones = titled(matcher(query.zone));
      const isSection = (title: Element) => !inButton(title) && zones.some((zone) => inZone(zone, title));
      // A dialog that is open in the section has a "Rotate" of its own.
      const isBehind = (zone: Element, button: Element) => at(zone) < at(button) && inSameDialog(zone, button);
      const buttons = buttonsNamed(query.name).filter((button) => zones.some((zone) => isBehind(zone, button)));
      const test = matcher(query.section);
      // What has a button in it is a title by a text or a name of its own only.
      const isTitle = (title: Element) =>
        !buttons.some((button) => within(title, button)) || [ownText(title), ...labelsOf(title)].some(test);
      const sections = titled(test).filter((title) => isSection(title) && isTitle(title));
      // In a row that is lit under the pointer the title looks like a button too.
      const others = buttons.filter((button) => !sections.includes(button));
      const candidates = others.length > 0 ? others : buttons;
      return unique(
        sections.flatMap((title) => {
          const owned = candidates.filter((button) => owns(title, button, candidates));
          // Of another title's, as of ours: where one is nearer, ours is not there.
          const nearest = climb(title, (area) => candidates.some((button) => within(area, button)));
          return owned.filter((button) => nearest && within(nearest, button));
        }),
      );
    },

    dialog(query) {
      const says = matcher(query.says);
      const floats = (area: Element) => {
        const { position, zIndex } = getComputedStyle(area);
        return area !== document.body && (position === 'fixed' || (position === 'absolute' && Number(zIndex) > 0));
      };
      // The element with the role may have no size of its own.
      const isDialog = (area: Element) => area.matches(dialogLike) && visible(area);
      const around = buttonsNamed(query.name).map((button) => climb(button, isDialog) ?? climb(button, floats));
      // One by one, words run together; what is in a shadow root is not in the whole.
      const isSaying = (element: Element) => says(textOf(element)) || says(seenText(element));
      const saying = all.filter((element) => element.matches(dialogLike) && visible(element) && isSaying(element));
      const candidates = unique([...around, ...saying].filter((box) => box !== undefined));
      const zones = candidates.length > 0 ? titled(matcher(query.zone)) : [];
      return innermost(candidates.filter((box) => !zones.some((zone) => within(box, zone))));
    },

    'login-field'(query) {
      const boxes = codeBoxes();
      const known = fieldsKnown(query).filter((field) => !boxes.includes(field));
      if (known.length === 0) return [];
      /** What body and html clip, the window does: it shows all of the page that it can be scrolled to. */
      const boxOf = (area: Element) => {
        const { scrollWidth, scrollHeight } = document.documentElement;
        return area.matches('html,body')
          ? new DOMRect(-scrollX, -scrollY, scrollWidth, scrollHeight)
          : area.getBoundingClientRect();
      };
      const isApart = (a: Element, b: Element) => {
        const [one, other] = [boxOf(a), boxOf(b)];
        return one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top;
      };
      /** The next step's, which is still to slide in. What is fixed is clipped by nothing around it. */
      const isClipped = (field: Element) => {
        for (const area of upwards(field)) {
          const { overflow, position, display } = getComputedStyle(area);
          const hasBoxOfOwn = !area.matches('html,body') && !/^(inline|contents)$/.test(display);
          if (
            /hidden|clip/.test(overflow) &&
            (isApart(area, field) || (hasBoxOfOwn && Math.min(area.clientWidth, area.clientHeight) <= 2))
          )
            return true;
          if (position === 'fixed') return false;
        }
        return false;
      };
      const formOf = (field: Element) => closest(field, 'form');
      const sends = (test: Test) => (field: Element) => {
        const form = formOf(field);
        const buttons = form ? inside(form).filter((element) => element.matches('button,input[type=submit]')) : [];
        return buttons.some((button) => isNamed(button, test) && visible(button));
      };
      const [isLogin, isOther] = [sends(matcher(query.submit)), sends(matcher(query.otherForms))];
      const isSeen = (element: Element) => element.checkVisibility({ opacityProperty: true });
      /** An empty field may be seen through to the label that lies in it until somebody types. */
      const hasLabelInIt = (field: Element) => {
        const isSeenText = (element: Element) => isTalking.has(element) && !element.matches(control) && isSeen(element);
        const area = climb(field, (outer) => inside(outer).some(isSeenText));
        const inArea = area ? inside(area) : [];
        return (
          inArea.filter((element) => element.matches(control)).length === 1 &&
          inArea.some((element) => isSeenText(element) && !isApart(element, field))
        );
      };
      const isOffPage = (field: Element) => {
        const { right, bottom } = field.getBoundingClientRect();
        return right + scrollX <= 0 || bottom + scrollY <= 0;
      };
      const forPeople = (field: Element) =>
        !isOffPage(field) &&
        !field.matches('[tabindex="-1"],[aria-hidden=true]') &&
        (isSeen(field) || hasLabelInIt(field)) &&
        visible(field) &&
        !isClipped(field);
      const fields = all.filter(
        (element) => element.matches(control) && forPeople(element) && (isLogin(element) || !isOther(element)),
      );
      // Whether there is a choice is for those to say that are of a login by their kind.
      const likelier = (among: Element[], test: (field: Element) => boolean) => {
        const forms = new Set(among.filter((field) => field.matches(query.fields) && test(field)).map(formOf));
        return forms.size > 0 ? among.filter((field) => forms.has(formOf(field))) : among;
      };
      const likeliest = likelier(
        likelier(fields, (field) => field.matches('[type=password]')),
        isLogin,
      );
      return known.filter((field) => likeliest.includes(field));
    },

    'code-field'(query) {
      const boxes = codeBoxes();
      const fields = boxes.length > 0 ? boxes : fieldsKnown(query);
      return fields.filter((field) => !field.matches(query.other));
    },

    clickable: (query) => oneOfEach(buttonsNamed(query.name)),

    answer(query) {
      const [says, isMore] = [matcher(query.says), matcher(query.otherLabels)];
      // A word in the navigation or at the foot of a page is not what the page says.
      const saidIn = (area: Element) =>
        inside(area)
          .filter((element) => element.matches('nav,footer'))
          .reduce((text, other) => text.replace(innerText(other), ''), fullText(area));
      const isNo = matcher(query.decline);
      const floats = (area: Element) => area.matches(dialogLike) || getComputedStyle(area).position === 'fixed';
      return oneOfEach(buttonsNamed(query.name)).filter((button) => {
        const area = climb(button, (outer) => says(saidIn(outer)));
        const box = climb(button, floats);
        // A login may be called rotation@, and cookies can be deleted.
        const isSafe = () =>
          isNo(seenText(button)) ||
          !isMore(fullText(area as Element).replace(/\S+@\S+|[^.!?\n]*\bcookies?\b[^.!?\n]*/gi, ''));
        return area && (!box || within(box, area)) && isSafe();
      });
    },

    entry(query) {
      const named = buttonsNamed(query.name);
      const titles = titled(matcher(query.name));
      const around = titles.flatMap((title) => closest(title, clickable) ?? []).filter(visible);
      return oneOfEach(named.length > 0 ? named : innermost(unique(around)));
    },

    matching: ({ css }) => matching(css ?? ''),

    covering(_query, root) {
      const top = topOf(root);
      if (!top || related(root, top)) return [];
      return [[...upwards(top)].filter((area) => !within(area, root)).at(-1) ?? top];
    },

    box: ({ name }) => boxes(name),

    sensitive: (query, root) =>
      unique([
        ...all.filter((element) => element.matches('input,textarea,select,code,pre,output,[contenteditable]')),
        ...secretTexts(query, root).map(({ holder }) => holder),
      ]).filter(visible),

    unreadable(query, root) {
      const drawn = (element: Element) =>
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
      return [
        ...all.filter(
          (element) =>
            (element.tagName.includes('-') && !element.shadowRoot && element.childElementCount === 0) || drawn(element),
        ),
        ...secretTexts(query, root)
          .filter(sticksOut)
          .map(({ holder }) => holder),
      ];
    },
  };

  const search = (query: Query, root: Element): Element[] => {
    hiddenToo = query.hiddenToo === true;
    survey(root);
    return finders[query.find as Search['find']](query, root);
  };
  /** Where to look in the page; nowhere as long as it has no body. */
  const partsFor = ({ part }: Query): Element[] => {
    const { body } = document;
    if (!body) return [];
    return part ? search(part, body) : [body];
  };

  /** What there is to tell of the page, or of the dialog that the search starts from. */
  const tellers = {
    'page-state'(query): PageState | null {
      const { body } = document;
      if (!body) return null;
      const { page } = query as Required<Query>;
      const found = (name: keyof PageSearches) => search(page[name], body);
      const [clients, ids] = [found('part').length, found('id').length];
      const fields = { username: 0, password: 0, code: 0, oneTime: 0, newPassword: 0 };
      if (clients === 0 && matching('input,textarea,[contenteditable]').length > 0) {
        const seen = (name: keyof PageSearches) => found(name).filter(hasBox);
        const passwords = seen('password');
        const secrets = passwords.length > 0 ? found('secret') : [];
        const codes = seen('code');
        fields.username = seen('username').length;
        fields.password = passwords.filter((field) => !secrets.includes(field)).length;
        fields.newPassword = passwords.filter((field) => field.matches('[autocomplete~=new-password]')).length;
        fields.code = codes.length;
        fields.oneTime = codes.filter((field) => field.matches('[autocomplete~=one-time-code],[name*=otp i]')).length;
      }
      const [reveal, copy] = clients === 0 ? [found('reveal').length, found('copy').length] : [0, 0];
      const refresh = document.querySelector('meta[http-equiv=refresh i]')?.getAttribute('content');
      const refreshes = Number.parseInt(refresh ?? '', 10) <= 10;
      return { text: fullText(body), clients, ids, refreshes, fields, reveal, copy };
    },

    'danger-zone'(query): DangerZone {
      const parts = partsFor(query);
      const count = (find: string, css: string | undefined) => {
        const found = parts.map((part) =>
          css ? search({ ...query, find: 'matching', css }, part).filter(hasBox) : search({ ...query, find }, part),
        );
        return unique(found.flat()).length;
      };
      return { parts: parts.length, toggles: count('zone', query.zoneCss), buttons: count('rotate', query.buttonCss) };
    },

    'shown-values'(query): ShownValues {
      const parts = partsFor(query);
      const [part, ...others] = parts;
      const holders = part && others.length === 0 ? search({ ...query, find: 'value' }, part) : [];
      return { parts: parts.length, values: holders.map((holder) => unlabelled(holder, query)) };
    },

    'dialog-state'(query, root): DialogState {
      survey(root);
      toldDialog = root;
      const buttons = query.confirm ? matching(query.confirm) : oneOfEach(buttonsNamed(query.name));
      const button = buttons.length === 1 ? buttons[0] : undefined;
      return {
        said: saidIn(root),
        heard: heardIn(),
        buttons: matching('button,[role=button]').map(innerText),
        emphasised: matching('code,kbd,samp,pre,strong,b,em,mark,var').map((element) => element.textContent),
        fields: matching(query.fields).filter(hasBox).length,
        boxes: boxes(query.box).length,
        confirming: buttons.length,
        place: button && middleOf(button),
        hit: button !== undefined && isHit(button),
        enabled: button !== undefined && isEnabled(button),
        comesIn: button !== undefined && comesIn(button),
      };
    },

    'told-dialog'(): string | null {
      if (!toldDialog?.isConnected) return null;
      survey(toldDialog);
      const isThere = getComputedStyle(toldDialog).display === 'contents' ? all.some(visible) : visible(toldDialog);
      return isThere ? saidIn(toldDialog) : null;
    },
  } satisfies Record<string, (query: Query, root: Element) => unknown>;

  const queryAll = (from: Element | Document, body: string): Element[] => {
    // Between two searches a page may become any other.
    start = undefined;
    const query = JSON.parse(decodeURIComponent(body)) as Query;
    const root = from instanceof Document ? from.documentElement : from;
    const teller = tellers[query.find as keyof typeof tellers];
    if (!teller) return search(query, root);
    hiddenToo = false;
    return tell(teller(query, root));
  };
  return { query: (from: Element | Document, body: string) => queryAll(from, body)[0], queryAll };
}
