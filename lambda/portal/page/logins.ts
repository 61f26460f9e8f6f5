import type { Dom } from './dom.ts';
import type { Names, Test } from './names.ts';
import type { Finders, Query } from './query.ts';
import type { Values } from './values.ts';

/** Fields of a login, answers to what stands in between, and entries to the next page. Runs in the page. */
export function logins(dom: Dom, names: Names, values: Values) {
  const {
    clickable,
    control,
    dialogLike,
    isTalking,
    upwards,
    climb,
    closest,
    within,
    inside,
    unique,
    innermost,
    visible,
    hasBox,
    seenText,
    innerText,
    fullText,
  } = dom;
  const { labelsOf, matcher, isNamed, buttonsNamed, oneOfEach, titled } = names;
  const { labelledValues } = values;

  /** Fields to type into, by their kind or their name. */
  const fieldsKnown = (query: Query): Element[] => {
    const isLabel = matcher(query.label);
    const beside = query.besideToo ? labelledValues({ ...query, minLength: 1 }) : [];
    return dom.all.filter(
      (element) =>
        element.matches(control) &&
        element.matches('input:not([readonly],[disabled])') &&
        (element.matches(query.kind) || labelsOf(element).some(isLabel) || beside.includes(element)),
    );
  };

  /** Boxes for a code, a character each: four to eight narrow ones alike, in one line. */
  const codeBoxes = (): Element[] => {
    const lines = new Map<string, Element[]>();
    for (const element of dom.all) {
      if (!element.matches(control) || element.matches('textarea,[readonly],[disabled]') || !hasBox(element)) continue;
      const { top, width } = element.getBoundingClientRect();
      if (width > 100) continue;
      const line = `${Math.round(top)} ${Math.round(width)}`;
      lines.set(line, [...(lines.get(line) ?? []), element]);
    }
    return [...lines.values()].filter(({ length }) => length >= 4 && length <= 8).flat();
  };

  const finders = {
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
        const isSeenText = (element: Element) => isTalking(element) && !element.matches(control) && isSeen(element);
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
      const fields = dom.all.filter(
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
  } satisfies Partial<Finders>;

  return { finders };
}
