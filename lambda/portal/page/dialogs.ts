import type { Dom } from './dom.ts';
import type { Names } from './names.ts';
import type { DialogState, Finders, Tellers } from './query.ts';

/** Dialogs, with or without a role, and what they say; what lies over a button. Runs in the page. */
export function dialogs(dom: Dom, names: Names) {
  const {
    upwards,
    dialogLike,
    survey,
    climb,
    within,
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
    middleOf,
    topOf,
    isHit,
    isEnabled,
    comesIn,
    matching,
  } = dom;
  const { matcher, buttonsNamed, oneOfEach, titled, isOn, isShown, boxesThat, boxesNamed, labelsOf } = names;

  /** What was put into slots in there, and is no part of its own text: the document has it elsewhere. */
  const slottedInto = (root: Element): Element[] => {
    const slots = dom.all.filter((element) => element instanceof HTMLSlotElement);
    const put = slots.flatMap((slot) => slot.assignedElements());
    return put.filter(
      (element) =>
        element instanceof HTMLElement &&
        !root.contains(element) &&
        !put.some((other) => other !== element && other.contains(element)) &&
        visible(element),
    );
  };

  const saidIn = (root: Element) => [root, ...slottedInto(root)].map(innerText).join('\n');
  const heardIn = () =>
    JSON.stringify(
      dom.all.map((element) => [
        ...labelsOf(element),
        ...['title', 'alt'].map((name) => element.getAttribute(name)),
        element.matches('input,textarea,select') ? (element as HTMLInputElement).value.slice(0, 5_000) : '',
        element.getRootNode() === document ? '' : ownText(element),
      ]),
    );

  /** What is chosen in lists and by radio buttons; one that says nothing where none of these is. */
  const chosen = (): string[] => {
    const lists = matching('select').filter(hasBox) as HTMLSelectElement[];
    const radios = matching('input[type=radio],[role=radio]').filter(isShown);
    const choices = [...lists.flatMap(({ selectedOptions }) => [...selectedOptions]), ...radios.filter(isOn)];
    const called = (choice: Element) => {
      const { value, labels } = choice as HTMLInputElement;
      return oneLine(
        [value, ...[choice, ...(labels ?? [])].map((label) => textOf(label)), ...labelsOf(choice)].join(' '),
      );
    };
    return radios.length > 0 && !radios.some(isOn) ? [''] : choices.map(called);
  };

  const finders = {
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
      const saying = dom.all.filter((element) => element.matches(dialogLike) && visible(element) && isSaying(element));
      const candidates = unique([...around, ...saying].filter((box) => box !== undefined));
      const zones = candidates.length > 0 ? titled(matcher(query.zone)) : [];
      return innermost(candidates.filter((box) => !zones.some((zone) => within(box, zone))));
    },

    covering(_query, root) {
      const top = topOf(root);
      if (!top || related(root, top)) return [];
      return [[...upwards(top)].filter((area) => !within(area, root)).at(-1) ?? top];
    },
  } satisfies Partial<Finders>;

  /** The dialog that was told of last. */
  let toldDialog: Element | undefined;

  const tellers = {
    'dialog-state'(query, root): DialogState {
      survey(root);
      toldDialog = root;
      const buttons = query.confirm ? matching(query.confirm) : oneOfEach(buttonsNamed(query.name));
      const button = buttons.length === 1 ? buttons[0] : undefined;
      const ticked = boxesThat(true);
      return {
        said: saidIn(root),
        heard: heardIn(),
        buttons: matching('button,[role=button]').map(innerText),
        emphasised: matching('code,kbd,samp,pre,strong,b,em,mark,var').map((element) => element.textContent),
        fields: matching(query.fields).filter(hasBox).length,
        boxes: boxesNamed(query.box, boxesThat(false)).length,
        busy: [root, ...matching('[aria-busy=true]')].some((area) => area.ariaBusy === 'true' && visible(area)),
        chosen: chosen(),
        otherTicks: boxesNamed('.', ticked).length - boxesNamed(query.box, ticked).length,
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
      const isThere = getComputedStyle(toldDialog).display === 'contents' ? dom.all.some(visible) : visible(toldDialog);
      return isThere ? saidIn(toldDialog) : null;
    },
  } satisfies Tellers;

  return { finders, tellers };
}
