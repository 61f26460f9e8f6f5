import type { Dom } from './dom.ts';
import type { Names, Test } from './names.ts';
import type { Finders } from './query.ts';

/** The Danger Zone, and the button that belongs to a section of it. Runs in the page. */
export function sections(dom: Dom, names: Names) {
  const {
    upwards,
    clickable,
    control,
    dialogLike,
    headingLike,
    at,
    isTalking,
    textNodes,
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
  } = dom;
  const { labelsOf, matcher, buttonsNamed, titled, isButton, inButton } = names;

  const rank = (element: Element): number => {
    const heading = closest(element, headingLike) ?? element.querySelector(headingLike);
    return Number(heading?.getAttribute('aria-level') ?? /^h(\d)$/i.exec(heading?.tagName ?? '')?.[1] ?? 7);
  };
  /** What folds a section may be a button beside its title, in a part of the page that says nothing else; a menu folds nothing. */
  const toggleBeside = (title: Element): Element | undefined => {
    if (getComputedStyle(title).cursor === 'pointer') return undefined;
    const foldings = dom.all.filter(
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
    const between = dom.all.slice(at(zone), Math.max(at(zone), at(title)));
    const ends = (element: Element) =>
      element.matches(headingLike) &&
      !related(element, zone) &&
      !within(element, title) &&
      rank(element) <= rank(zone) &&
      visible(element);
    return at(zone) < at(title) && (rank(zone) === 7 || !between.some(ends));
  };

  /** Whether a heading of a higher rank, in what it heads, says that all of it is about other secrets. */
  const isUnder = (zone: Element, title: Element, test: Test, credentials: Element[]): boolean => {
    const heads = (heading: Element) => {
      const area = climb(heading, (outer) => within(outer, title)) as Element;
      const side = [...upwards(heading)].find((outer) => outer.parentElement === area) ?? heading;
      // A section of its own heads nothing after it; what stands around a heading alone does.
      const isOfItsOwn =
        side !== heading &&
        (side.matches('section,article,fieldset,li,details,form,[role=region],[role=tabpanel],[role=group]') ||
          inside(side).some((element) => element.matches(`${clickable},${control}`)));
      if (isOfItsOwn) return false;
      // Of a page that shows the credentials too, a Danger Zone that is no heading may be a part of its own.
      const shown = credentials.filter((element) => within(area, element));
      return shown.length === 0 || (rank(zone) < 7 && !shown.some((element) => at(element) > at(heading)));
    };
    let below = rank(title);
    for (const heading of dom.all.slice(0, at(title)).reverse()) {
      if (!heading.matches(headingLike) || rank(heading) >= below || !visible(heading) || !heads(heading)) continue;
      if (test(textOf(heading))) return true;
      below = rank(heading);
    }
    return false;
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
      isTalking(element) &&
      !inButton(element) &&
      (textNodes(element).length === 0 || textsOf(element).length > 0) &&
      !element.matches('i,[class*=icon i],[class*=badge i]') &&
      visible(element);
    const talkingBefore = (element: Element) =>
      dom.talking.filter(
        (other) => at(other) < at(element) && within(area, other) && !related(other, element) && talks(other),
      );
    const isBefore = (node: Node) => (node.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
    const sideOf = (element: Element) => [...upwards(element)].find((outer) => outer.parentElement === area) ?? element;
    const shape = (element: Element) => `${element.tagName}.${element.getAttribute('class')}`;
    const [ours, theirs] = [sideOf(title), sideOf(button)];
    const isAfter = at(button) > at(title);
    // What a list beside it says may be whose secret it is.
    if (
      dom.all
        .slice(...[at(title), at(button)].sort((a, b) => a - b))
        .some((other) => other.matches('select,[role=combobox],[role=radio],input[type=radio]') && visible(other))
    )
      return false;
    if (isAfter) {
      // Where a button comes first and its title follows, the button after ours is the next title's.
      const leads = (other: Element) =>
        at(other) < at(title) && within(area, other) && !talkingBefore(other).some(isTitleLike);
      if (buttons.some(leads)) return false;
    } else {
      // A button before its title is the first thing there, and no other button or title stands between them.
      const between = dom.all
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
    /** A cell of our row in a column that has a name of its own says something of ours. */
    const isDetail = (element: Element) => {
      const [own, other] = [closest(title, 'td,th'), closest(element, 'td')];
      if (!(other instanceof HTMLTableCellElement) || own === other || own?.parentElement !== other.parentElement)
        return false;
      const heads = [...(other.closest('table')?.rows ?? [])].find(
        ({ cells }) => cells[0]?.matches('th') && [...cells].every((cell) => cell.matches('th,td:empty')),
      );
      return oneLine(heads?.cells[other.cellIndex]?.textContent) !== '';
    };
    const between = isAfter ? dom.all.slice(at(title), at(button)) : inside(area);
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
      if (isAfter && !isDetail(element) && (isOtherTitle(element) || isInOtherCell(element))) return true;
      return shape(element) === shape(title) && dom.all.slice(at(title), at(element)).some(isButton);
    });
  };

  const finders = {
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
      const [isOther, credentials] = [matcher(query.otherLabels), titled(matcher(query.label))];
      const isOurs = (zone: Element, title: Element) =>
        inZone(zone, title) && !isUnder(zone, title, isOther, credentials);
      const isSection = (title: Element) => !inButton(title) && zones.some((zone) => isOurs(zone, title));
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
  } satisfies Partial<Finders>;

  return { finders };
}
