/**
 * What runs in the page: finding by meaning what roles alone do not find, the value beside a label, the button of a section, a dialog
 * without a role; and telling what stands there.
 *
 * It runs in an isolated world that shares the DOM with the page's scripts and nothing else: a page that rewrites `Array.prototype`
 * changes nothing here. It reads, and returns elements; what it has to tell is the text of an element that is in no document. Only
 * source text gets into the page, so each part uses nothing from outside itself but the parts that it is given.
 */
import type { PageSearches, Search } from '../page-search.ts';
import { dialogs } from './dialogs.ts';
import { type Dom, dom } from './dom.ts';
import { logins } from './logins.ts';
import { type Names, names } from './names.ts';
import type { DangerZone, Finders, PageState, Query, ShownValues, Tellers } from './query.ts';
import { secrets } from './secrets.ts';
import { sections } from './sections.ts';
import { type Values, values } from './values.ts';
import { writingsIn } from './writings.ts';

interface Parts {
  dom: Dom;
  names: Names;
  values: Values;
  sections: ReturnType<typeof sections>;
  dialogs: ReturnType<typeof dialogs>;
  logins: ReturnType<typeof logins>;
  secrets: ReturnType<typeof secrets>;
}

function engine({ dom, names, values, sections, dialogs, logins, secrets }: Parts) {
  const { survey, unique, hasBox, fullText, matching } = dom;
  const { unlabelled } = values;

  const finders: Finders = {
    ...names.finders,
    ...values.finders,
    ...sections.finders,
    ...dialogs.finders,
    ...logins.finders,
    ...secrets.finders,
    matching: ({ css }) => matching(css ?? ''),
  };

  const search = (query: Query, root: Element): Element[] => {
    survey(root, query.hiddenToo);
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

    ...dialogs.tellers,
  } satisfies Tellers;

  /** In an element that is in no document, where no script of the page can get at it. */
  const tell = (facts: unknown): Element[] => {
    const element = document.createElement('p');
    element.textContent = JSON.stringify(facts);
    return [element];
  };

  const queryAll = (from: Element | Document, body: string): Element[] => {
    // Between two searches a page may become any other.
    dom.forget();
    const query = JSON.parse(decodeURIComponent(body)) as Query;
    const root = from instanceof Document ? from.documentElement : from;
    const teller = tellers[query.find as keyof typeof tellers];
    return teller ? tell(teller(query, root)) : search(query, root);
  };
  return { query: (from: Element | Document, body: string) => queryAll(from, body)[0], queryAll };
}

/** A selector engine. @see Playwright, "Extensibility", custom selector engines */
export const pageScript = `(() => {
  const dom = (${dom})();
  const names = (${names})(dom);
  const values = (${values})(dom, names);
  const sections = (${sections})(dom, names);
  const dialogs = (${dialogs})(dom, names);
  const logins = (${logins})(dom, names, values);
  const secrets = (${secrets})(dom, ${writingsIn});
  return (${engine})({ dom, names, values, sections, dialogs, logins, secrets });
})()`;
