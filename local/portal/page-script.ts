/**
 * The script of every page of the portal. It is sent as text (`String(pageScript)`), so it must stand alone: it uses
 * nothing from this module or any other. All listeners are the document's, as a slow single-page app replaces its nodes.
 */
import type { PortalTraits } from './traits.ts';

export type PageSettings = {
  csrfToken: string;
  developerToolsPath: string;
  loginOrigin: string;
  slow: boolean;
  formPosts: boolean;
  newSecretNeedsReload: boolean;
  hostility: PortalTraits['hostility'];
  says: string[];
  texts: { copied: string; failed: string };
};

export function pageScript(page: PageSettings): void {
  const api = '/account/developer-tools';
  const delay = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  /** What the page knows of the client or clients, by name. */
  const values: Record<string, string> = {};
  let valuesFetched: Promise<void> = Promise.resolve();
  let pointerIsDown = false;
  /** A click or a text that is under way is not lost to a node's replacement: else one in some hundred would be. */
  const isInUse = () => pointerIsDown || document.activeElement?.matches('input:not([readonly])');

  async function post(path: string, keepalive = false): Promise<Response> {
    const answer = await fetch(path, { method: 'POST', headers: { 'x-csrf-token': page.csrfToken }, keepalive });
    if (answer.status === 401) location.assign(`/login?return_to=${encodeURIComponent(location.pathname)}`);
    return answer;
  }

  function say(text: string): void {
    const toast = document.createElement('p');
    toast.textContent = text;
    document.getElementById('toasts')?.append(toast);
    setTimeout(() => toast.remove(), 4000);
  }

  async function fetchValues(): Promise<Record<string, string>> {
    return (await fetch(`${api}/client`)).json();
  }

  function write(element: Element, text: string): void {
    if ('value' in element) element.value = text;
    else element.textContent = text;
  }

  /** Shows what is hidden, or hides it again. */
  function reveal(button: HTMLElement): void {
    const name = button.dataset.reveals ?? '';
    const shown = document.querySelector<HTMLElement>(`[data-shows=${name}]`);
    const other = button.dataset.other ?? '';
    button.dataset.other = button.textContent ?? '';
    button.textContent = other;
    if (shown instanceof HTMLInputElement) shown.type = shown.type === 'password' ? 'text' : 'password';
    else if (shown)
      write(shown, shown.textContent === shown.dataset.mask ? (values[name] ?? '') : (shown.dataset.mask ?? ''));
  }

  /** The portal may go on answering with the old secret for a while; then the field follows when the new one appears. */
  async function showNewSecret(secret: string): Promise<void> {
    if (page.newSecretNeedsReload) return;
    await valuesFetched;
    for (let tries = 0; secret === values.client_secret && tries < 240; tries += 1) {
      await delay(250);
      secret = (await fetchValues()).client_secret ?? '';
    }
    values.client_secret = secret;
    const shown = () => document.querySelector<HTMLElement>('[data-shows=client_secret]');
    const blank = page.slow && shown();
    if (blank && !blank.dataset.mask) {
      write(blank, '');
      await delay(150);
    }
    const [field, button] = [shown(), document.querySelector<HTMLElement>('[data-reveals=client_secret]')];
    if (!field) return;
    if (field.dataset.mask && button && field.textContent !== field.dataset.mask) reveal(button);
    write(field, field.dataset.mask ?? secret);
  }

  const openDialog = () => document.querySelector<HTMLElement>('body [data-dialog]');
  const confirmButtons = (dialog: HTMLElement) => dialog.querySelectorAll<HTMLButtonElement>('button.danger');

  function closeDialog(): void {
    const dialog = openDialog();
    dialog?.remove();
    for (const app of document.querySelectorAll<HTMLElement>('.app')) app.inert = false;
    document.querySelector<HTMLElement>(`[data-opens="${dialog?.dataset.opener}"]`)?.focus();
  }

  /** The confirm button is enabled when its time has come, the word is typed and the box is ticked. */
  function updateConfirm(dialog: HTMLElement): void {
    const typed = dialog.querySelector<HTMLInputElement>('[data-expects]');
    const box = dialog.querySelector<HTMLInputElement>('[type=checkbox]');
    const complete = (!typed || typed.value === typed.dataset.expects) && (!box || box.checked);
    for (const button of confirmButtons(dialog)) button.disabled = !complete || 'late' in button.dataset;
  }

  async function openDialogOf(id: string): Promise<void> {
    if (page.slow) await delay(100);
    const template = document.getElementById(id) as HTMLTemplateElement;
    const dialog = template.content.firstElementChild?.cloneNode(true) as HTMLElement;
    dialog.dataset.opener = id;
    const form = dialog.querySelector('form') as HTMLFormElement;
    if (dialog.dataset.asks) {
      if (!confirm(dialog.dataset.asks)) return;
      dialog.hidden = true;
      document.body.append(dialog);
      if (page.formPosts) form.submit();
      else await submit(form);
      return;
    }
    // The opener itself may have been replaced by now.
    const opener = document.querySelector(`[data-opens="${id}"]`);
    const inSection = 'inSection' in dialog.dataset ? opener?.closest('section, [role=region], main') : undefined;
    for (const app of document.querySelectorAll<HTMLElement>('.app')) app.inert = !inSection;
    (inSection ?? document.body).append(dialog);
    if (dialog instanceof HTMLDialogElement) {
      dialog.addEventListener('close', closeDialog);
      dialog.showModal();
    }
    updateConfirm(dialog);
    dialog.querySelector('button')?.focus();
    setTimeout(() => {
      const late = openDialog();
      if (!late) return;
      for (const button of confirmButtons(late)) delete button.dataset.late;
      updateConfirm(late);
    }, 500);
    if (page.slow && !(dialog instanceof HTMLDialogElement)) {
      await delay(80);
      if (!isInUse()) dialog.replaceWith(dialog.cloneNode(true));
    }
  }

  async function submit(form: HTMLFormElement): Promise<void> {
    const dialog = form.closest('[data-dialog]') as HTMLElement;
    const fail = (text: string) => {
      if (dialog.dataset.asks) {
        dialog.remove();
        say(text);
        return;
      }
      const alert = dialog.querySelector('[role=alert]') as HTMLElement;
      alert.textContent = text;
      alert.hidden = false;
      for (const button of dialog.querySelectorAll('button')) button.disabled = false;
      dialog.querySelector('button')?.focus();
    };
    for (const button of dialog.querySelectorAll('button')) button.disabled = true;
    try {
      const answer = await post(new URL(form.action).pathname);
      const body = await answer.json();
      if (!answer.ok) return fail(body.message);
      closeDialog();
      say(body.message);
      await showNewSecret(body.client_secret);
    } catch {
      fail(page.texts.failed);
    }
  }

  function toggle(control: Element, expanded: boolean): void {
    const controlled = document.getElementById(control.getAttribute('aria-controls') ?? '');
    control.setAttribute('aria-expanded', String(expanded));
    if (controlled) controlled.hidden = !expanded;
  }

  function selectTab(tab: HTMLElement): void {
    for (const each of tab.parentElement?.children ?? []) {
      each.setAttribute('aria-selected', String(each === tab));
      const panel = document.getElementById(each.getAttribute('aria-controls') ?? '');
      if (panel) panel.hidden = each !== tab;
    }
  }

  function dismiss(button: Element): void {
    const overlay = button.closest<HTMLElement>('[data-dismissible]');
    localStorage.setItem(`${overlay?.dataset.dismissible}`, 'dismissed');
    overlay?.remove();
  }

  document.addEventListener('click', async ({ target }) => {
    const clicked = target as Element;
    const menu = document.querySelector('.profile[aria-expanded=true]');
    if (menu && !clicked.closest('.account')) toggle(menu, false);
    if (clicked.matches('.backdrop[data-dialog]') || clicked.closest('[data-cancels]')) closeDialog();
    if (page.hostility === 'popup') open(`${page.loginOrigin}/elsewhere`);
    const hidden = document.getElementById(clicked.closest<HTMLElement>('[data-toggles]')?.dataset.toggles ?? '');
    if (hidden) hidden.hidden = !hidden.hidden;
    const button = clicked.closest('button');
    if (!button) return;
    const { copies, reveals, opens, acts, says, closesAgain } = button.dataset;
    if (button.role === 'tab') selectTab(button);
    else if (button.hasAttribute('aria-controls')) toggle(button, button.getAttribute('aria-expanded') === 'false');
    if (closesAgain !== undefined) {
      delete button.dataset.closesAgain;
      setTimeout(() => toggle(document.getElementById(button.id) ?? button, false), 150);
    }
    if ('dismisses' in button.dataset) dismiss(button);
    const action = acts ?? (opens !== 'rotate-secret' && opens);
    if (action) void post(`${api}/clicks/${action}`, true);
    if (opens) await openDialogOf(opens);
    if (copies || reveals) await valuesFetched;
    if (reveals) reveal(button);
    if (copies) {
      const copied = await navigator.clipboard.writeText(values[copies] ?? '').then(
        () => true,
        () => false,
      );
      say(copied ? page.texts.copied : page.texts.failed);
    }
    if (says) say(says);
    if ('rotates' in button.dataset) {
      const body = await (await post(`${api}/rotate-secret`)).json();
      say(body.message);
      await showNewSecret(body.client_secret);
    }
  });
  document.addEventListener('submit', async (event) => {
    const form = event.target as HTMLFormElement;
    if (!form.closest('[data-dialog]') || page.formPosts) return;
    event.preventDefault();
    await submit(form);
  });
  document.addEventListener('input', () => {
    const dialog = openDialog();
    if (dialog) updateConfirm(dialog);
  });
  document.addEventListener('keydown', (event) => {
    const dialog = openDialog();
    const menu = document.querySelector<HTMLElement>('.profile[aria-expanded=true]');
    if (event.key === 'Escape' && dialog) closeDialog();
    else if (event.key === 'Escape' && menu) {
      toggle(menu, false);
      menu.focus();
    }
    if (event.key !== 'Tab' || !dialog) return;
    const stops = [...dialog.querySelectorAll<HTMLElement>('input:not([type=hidden]), button:enabled')];
    if (document.activeElement !== stops.at(event.shiftKey ? 0 : -1)) return;
    event.preventDefault();
    stops.at(event.shiftKey ? -1 : 0)?.focus();
  });
  for (const type of ['pointerdown', 'pointerup']) {
    document.addEventListener(type, () => {
      pointerIsDown = type === 'pointerdown';
    });
  }

  /** As where a list without keys is rendered anew: every node of the page is replaced by one that looks alike. */
  function renderAnew(): void {
    const main = document.querySelector('.app > main');
    if (main && !isInUse() && !main.querySelector('[data-dialog]')) main.replaceWith(main.cloneNode(true));
  }

  function begin(): void {
    for (const element of document.querySelectorAll<HTMLElement>('[data-shows]')) {
      values[element.dataset.shows ?? ''] =
        element instanceof HTMLInputElement ? element.value : (element.textContent ?? '');
    }
    if (document.querySelector('[data-mask], [data-fetches]')) {
      valuesFetched = fetchValues().then((fetched) => void Object.assign(values, fetched));
    }
    for (const template of document.querySelectorAll<HTMLTemplateElement>('template[data-overlay]')) {
      const name = template.dataset.overlay ?? '';
      if (localStorage.getItem(name)) continue;
      const overlay = template.content.firstElementChild?.cloneNode(true) as HTMLElement;
      overlay.dataset.dismissible = name;
      document.body.append(overlay);
    }
    for (const text of page.says) say(text);
  }

  function harm(): void {
    if (page.hostility === 'endless-alerts') for (;;) alert(page.texts.failed);
    if (page.hostility === 'endless-reloads') location.replace(`?${Math.random()}`);
    if (page.hostility === 'download') addEventListener('load', () => location.assign('/account/export.csv'));
    if (page.hostility !== 'rewritten-array-prototype') return;
    for (const name of ['map', 'filter', 'find', 'forEach', 'join', 'push', 'some', 'includes', 'toJSON']) {
      Object.defineProperty(Array.prototype, name, { value: () => 'rewritten' });
    }
  }

  async function beginSlowly(): Promise<void> {
    await delay(150);
    document.querySelector('.skeleton')?.replaceWith((document.getElementById('page') as HTMLTemplateElement).content);
    begin();
    for (let times = 0; times < 5; times += 1) {
      await delay(100);
      renderAnew();
    }
    document.addEventListener('click', () => setTimeout(renderAnew, 120));
  }

  harm();
  if (page.slow) void beginSlowly();
  else begin();
}
