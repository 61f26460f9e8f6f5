import type { Dom } from './dom.ts';
import type { Names, Test } from './names.ts';
import type { Finders, Query } from './query.ts';

/** Values beside their labels, in whatever form, and the buttons beside them. Runs in the page. */
export function values(dom: Dom, names: Names) {
  const {
    upwards,
    clickable,
    control,
    headingLike,
    at,
    climb,
    closest,
    within,
    inside,
    related,
    unique,
    visible,
    oneLine,
    textOf,
    ownText,
    matching,
  } = dom;
  const { labelsOf, matcher, buttonsNamed, titled, isButton, inButton } = names;

  const unsaid = 'button,[role=button],[aria-hidden=true]';
  /** What is no part of the value that stands in the same element. */
  const aside = `${unsaid},small,sup,sub,[class*=badge i],[class*=chip i],[class*=pill i]`;
  const isIn = (selector: string, node: Element | null, element: Element) => {
    const outer = node?.closest(selector);
    return outer != null && outer !== element && element.contains(outer);
  };
  const isAside = (node: Element | null, element: Element) =>
    isIn(unsaid, node, element) || (isIn(aside, node, element) && textIn(element, aside) !== '');
  const textIn = (element: Element, without: string) => {
    const texts = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    let text = '';
    while (texts.nextNode())
      if (!isIn(without, texts.currentNode.parentElement, element)) text += texts.currentNode.nodeValue;
    return text.trim();
  };
  const valueIn = (element: Element) => {
    if (element.matches('input,textarea')) return (element as HTMLInputElement).value.trim();
    // All of it may stand in what elsewhere says something beside a value.
    return textIn(element, aside) || textIn(element, unsaid);
  };

  /** A label and its value in one element: in one text, or the label in an element of its own, or a line of its own. */
  const labelAndValue = (element: Element): [label: string, value: string] | undefined => {
    const [, label, value] = /^([^:：]{2,60})[:：]\s*(\S+)$/.exec(ownText(element)) ?? [];
    if (label !== undefined && value !== undefined) return [label, value];
    if (element.childElementCount === 0 || element.childNodes.length > 9 || element.matches(`${headingLike},label`))
      return undefined;
    const parts = [...element.childNodes]
      .filter((node) => !(node instanceof Element && node.matches(unsaid)))
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
          /^(?=.*([\d_~.-]|[a-z][A-Z]))\S{4,}$/.test(other.textContent ?? ''),
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
    const found = [...dom.talking, ...dom.all.filter((element) => element.matches(control))].filter((element) => {
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
      const end = Math.min(...otherTitles.map(at).filter((index) => index > at(title)), dom.all.length);
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

  /** What stands above the columns of a table of which this part of the page is a row. */
  const columnHeads = (test: Test): Element[] =>
    [...(dom.start?.closest('table')?.rows ?? [])]
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
      ...dom.all.filter((element) => element.matches(control) && labelsOf(element).some(isLabel)),
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
        const next = dom.all.findIndex((element, index) => index > at(start) && isNext(element));
        return buttons.filter((button) => at(button) > at(start) && (next < 0 || at(button) < next));
      }),
    );
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

  const finders = {
    client(query, root) {
      const ids = fieldValues(query);
      const shows = (element: Element) => [valueShown(element, query), unlabelled(element, query)].includes(query.id);
      const others = ids.filter((element) => !shows(element));
      const isOurs = (area: Element) => within(root, area) && !others.some((other) => within(area, other));
      const parts = unique(ids.filter(shows).map((ours) => [...upwards(ours)].filter(isOurs).at(-1) ?? ours));
      const isSecret = matcher(query.otherLabels);
      const hasSecret = (part: Element) =>
        [...titled(isSecret), ...dom.all.filter((element) => labelsOf(element).some(isSecret))].some((element) =>
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
  } satisfies Partial<Finders>;

  return { finders, labelledValues, valueShown, unlabelled };
}

export type Values = ReturnType<typeof values>;
