/** The page as a reader sees it: what is in it, in which order, within what, whether it is seen, and what it says. Runs in the page. */
export function dom() {
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
  let talkingSet = new Set<Element>();
  let shadows = false;
  let hiddenToo = false;
  const isTalking = (element: Element) => talkingSet.has(element);
  const at = (element: Element) => order.get(element) ?? -1;
  /** Begins a search. @param hidden whether what is not seen counts as seen */
  const survey = (root: Element, hidden = false) => {
    hiddenToo = hidden;
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
    talkingSet = new Set(talking);
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
    return folded === undefined || isOutside(folded, element);
  };
  /** What is fixed is clipped by nothing around it, and what is absolute by nothing before what it is positioned in. */
  const isOutside = (folded: Element, element: Element): boolean => {
    let isLoose = false;
    for (const area of upwards(element)) {
      const { position } = getComputedStyle(area);
      if (area === folded) return isLoose && position === 'static';
      if (position === 'fixed') return true;
      if (!isLoose || position !== 'static') isLoose = position === 'absolute';
    }
    return false;
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

  const innerText = (element: Element) => ((element as HTMLElement).innerText ?? '').slice(0, 20_000);
  /** What is in shadow roots too. */
  const fullText = (area: Element) => {
    const hosts = shadows ? [area, ...inside(area)] : [];
    const roots = hosts.flatMap(({ shadowRoot }) => [...(shadowRoot?.children ?? [])]);
    return [area, ...roots.filter((root) => !root.matches(silent) && visible(root))].map(innerText).join('\n');
  };

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

  const matching = (css: string): Element[] => {
    try {
      return all.filter((element) => element.matches(css));
    } catch {
      throw new Error(`NOT-CSS ${css}`);
    }
  };

  return {
    buttonLike,
    clickable,
    control,
    dialogLike,
    headingLike,
    silent,
    /** All elements below the start of the search, in the order of the document, shadow roots included. */
    get all() {
      return all;
    },
    /** Where the search starts. */
    get start() {
      return start;
    },
    /** Those with a text of their own, or with a label that is not seen. */
    get talking() {
      return talking;
    },
    /** Whether there are shadow roots among them. */
    get shadows() {
      return shadows;
    },
    survey,
    forget: () => {
      start = undefined;
    },
    at,
    isTalking,
    textNodes,
    upwards,
    climb,
    closest,
    within,
    inside,
    related,
    unique,
    innermost,
    visible,
    hasBox,
    oneLine,
    textOf,
    seenText,
    ownText,
    innerText,
    fullText,
    middleOf,
    topOf,
    isHit,
    isEnabled,
    comesIn,
    matching,
  };
}

export type Dom = ReturnType<typeof dom>;
