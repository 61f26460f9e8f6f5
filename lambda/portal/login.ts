/**
 * The way to Developer Tools, wherever the portal leads in between:
 *
 *   URL ──> Developer Tools                                     a session that lasts, or none needed
 *   URL ──> login (one page, or user name first) ──> one-time code ──> "stay signed in?", "what's new" ──> Developer Tools
 *   URL ──> ... ──> some other page ──> URL once more ──> menu: profile, Manage Account, Developer Tools
 *
 * Each look at the page says which of these it is; whatever none of them explains is refused in words of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Locator, Page } from 'playwright-core';
import { Redactor } from '../rotation/redact.ts';
import type { LoginRefused, RotationError } from '../rotation/rotation-error.ts';
import { buttonSearch, clientSearch, copyIds, idSearch, revealIds, secretSearch } from './client.ts';
import { fromBrowser, isTimeout, refusal, trouble } from './failures.ts';
import { type Field, loginFields, loginSearches } from './login-fields.ts';
import { accountLocked, captcha, loginRefused, mailedCode, refusalOn } from './login-refusals.ts';
import { nextCode, oneTimeCodes } from './one-time-code.ts';
import { originOf } from './origins.ts';
import { buttonsOn, placeOf, visibleText } from './outline.ts';
import type { PageState } from './page/query.ts';
import { click, fill, firstTryMs, lookFor, only, onlyNow, whileReplaced } from './page-actions.ts';
import { pageState, searching } from './page-search.ts';
import { anyOf } from './profile.ts';
import { pathnameOf, type Way } from './way.ts';

/** So soon a form that sends itself does. */
const selfSentMs = 150;
/** Between two looks at a page; longer where it stays as it is. */
const pollMs = { least: 40, most: 250 };

/** A picture or initials without a name: what the page's own code calls it, where it does not say that it changes something. */
const profileIcon = ['class', 'id', 'data-testid']
  .flatMap((attribute) => ['avatar', 'profile', 'user-menu', 'account-menu'].map((word) => `[${attribute}*=${word} i]`))
  .map(
    (hint) => `:is(button,a,[role=button],[onclick])${hint}:not([class*=delete i],[class*=remove i],[class*=edit i])`,
  )
  .join();

/** What would send a password that nobody has typed, in a form whose fields are taken for none of a login. */
const sendsPassword = 'form:has([type=password]) :is(button:not([type=button],[type=reset]),input[type=submit])';

/**
 * From wherever the browser is to Developer Tools of the client. Types the password at most `loginsLeft` times, and never twice
 * into one login.
 *
 * @throws {LoginRefused | RotationError} login, permission, configuration, portal-changed, portal-unavailable
 */
export async function reachDeveloperTools(way: Way, signal: AbortSignal): Promise<void> {
  way.copied = undefined;
  way.aloneOn = undefined;
  const walk = new Walk(way, signal);
  await walk.goTo(way.foundAt ?? way.account.developerToolsUrl);
  for (let seenAtMs = performance.now(); ; ) {
    signal.throwIfAborted();
    if (way.browser.broken) throw trouble('portal-unavailable', way.browser.broken);
    const lookedAtMs = performance.now();
    const seen = await see(way).catch(whileItLoads);
    if (seen) seenAtMs = lookedAtMs;
    if (lookedAtMs - seenAtMs > way.profile.times.pageMs) throw walk.unreadable();
    if (seen && (await walk.step(seen, lookedAtMs).catch(whileReplaced))) return;
    await sleep(walk.pauseMs, undefined, { signal });
  }
}

/** A page that is being replaced cannot be read; what a search finds wrong with it is another matter. */
function whileItLoads(error: unknown): undefined {
  if (error instanceof Error && /VALUE-TOO-LONG|PAGE-TOO-LARGE|NOT-CSS/.test(error.message)) throw error;
}

/** What stands on the page. */
type Sight = Omit<PageState, 'fields'> & PageState['fields'] & { url: string };

async function see(way: Way): Promise<Sight | undefined> {
  const { browser, profile } = way;
  const searches = {
    part: clientSearch(way),
    id: idSearch(profile),
    secret: secretSearch(profile),
    ...loginSearches(profile),
    reveal: buttonSearch('clientId', 'reveal', profile),
    copy: buttonSearch('clientId', 'copy', profile),
  };
  const state = await pageState(browser.page, searches, profile.times.pageMs / 2);
  if (!state) return undefined;
  const { fields, ...seen } = state;
  return { url: browser.page.url(), ...seen, ...fields };
}

/** The last thing that was typed: into which document, after how many requests, and what the page said before. */
interface Typed {
  field: Field;
  document: number;
  writes: number;
  answers: number;
  before: Set<string>;
}

class Walk {
  readonly #way: Way;
  readonly #signal: AbortSignal;
  readonly #page: Page;
  /** Since when the page has been what it is, its texts apart. */
  #since = performance.now();
  #key = '';
  #typed: Typed | undefined;
  #typedAgain = 0;
  #passwordTyped = false;
  /** Where the user name was asked for alone. */
  #usernameAt: string | undefined;
  /** What the page said when an answer was given to it. */
  #answered = { label: '', text: '' };
  /** A second click would hide the client id again. */
  #revealedIn: number | undefined;
  /** How often the ids were copied, by document: nodes that are replaced lose a click. */
  readonly #copied = new Map<number, number>();
  #loggedIn = false;
  readonly #codes: string[] = [];
  readonly #tried: string[] = [];
  /** The first page that was left by the URL or the menu: it may be one that waits for an answer. */
  #unknownPage = '';

  constructor(way: Way, signal: AbortSignal) {
    this.#way = way;
    this.#signal = signal;
    this.#page = way.browser.page;
  }

  get pauseMs(): number {
    return Math.min(pollMs.most, Math.max(pollMs.least, (performance.now() - this.#since) / 2));
  }

  /**
   * @param lookedAtMs when the look began: a slow one tells of a page that has changed since
   * @returns whether Developer Tools has been reached
   */
  async step(sight: Sight, lookedAtMs: number): Promise<boolean> {
    const { browser, profile, account } = this.#way;
    const seen = this.#ofLogin(sight);
    const { settleMs, pageMs } = profile.times;
    this.#refuseWhereItLed(seen.text);
    const key = JSON.stringify([{ ...seen, text: '', reveal: 0, copy: 0 }, browser.documents]);
    if (key !== this.#key) this.#since = performance.now();
    this.#key = key;
    // A page that goes on asking is not waited for without end.
    const answeredAtMs = Math.min(browser.answeredAtMs, this.#since + pageMs / 2);
    const idleMs = lookedAtMs - Math.max(this.#since, answeredAtMs);
    // Many apps show an account without clients until they know of one.
    const isEmpty = anyOf(profile.messages.noClient).test(seen.text);
    if (seen.clients === 1) {
      this.#way.foundAt = withoutQuery(this.#page.url());
      this.#way.byMenu ||= this.#tried.includes('the URL');
      this.#way.aloneOn = seen.ids === 1 || this.#way.copied?.of === 1 ? pathnameOf(this.#way) : undefined;
      this.#entered();
      return true;
    }
    if (seen.clients > 1)
      throw refusal(
        'portal-changed',
        'the client id stands in more than one part of the page, each with a client secret',
        'set locators.clientId and locators.clientSecret in the portal profile',
      );
    if (seen.username + seen.password + seen.code > 0) {
      if (idleMs > pageMs) throw await this.#lost(seen);
      if (this.#awaitsAnswer(seen, idleMs) || (await this.#leavesLeadForm(seen))) return false;
      await this.#fillIn(seen);
    } else if (
      (await this.#answerInterstitial(seen.text)) ||
      (seen.reveal > 0 && (await this.#revealIds())) ||
      (seen.copy > 0 && (await this.#copyIds(idleMs)))
    ) {
      return false;
    } else if (idleMs > (browser.underWay.size > 0 || isEmpty || this.#goesOn(seen) ? pageMs / 2 : settleMs)) {
      if (await this.#challenged()) throw captcha();
      if (await this.#enterLogin()) return false;
      const { status } = browser;
      const login = { typed: this.#passwordTyped, entered: this.#loggedIn };
      const refused = refusalOn({ ...seen, status, place: this.#here() }, login, this.#way);
      if (refused) throw refused;
      if (idleMs > pageMs) throw await this.#lost(seen);
      // Developer Tools may be slow; no other page will become it.
      const leadsOn = (await this.#developerTools().count()) > 0;
      if (
        seen.url !== (this.#way.foundAt ?? account.developerToolsUrl) ||
        browser.status !== 200 ||
        leadsOn ||
        idleMs > pageMs / 2
      )
        await this.#onward();
    }
    return false;
  }

  async goTo(url: string): Promise<void> {
    const { pageMs } = this.#way.profile.times;
    for (const until = performance.now() + pageMs; ; ) {
      try {
        await this.#page.goto(url, { waitUntil: 'commit', timeout: pageMs });
        return;
      } catch (error) {
        this.#refuseWhereItLed();
        // The page may be on its way elsewhere: the answer to the press, a redirect by script. That has to arrive first.
        const wasInTheWay = error instanceof Error && /interrupted by another|ERR_ABORTED/.test(error.message);
        if (!wasInTheWay || performance.now() > until) throw error;
        await sleep(pollMs.least, undefined, { signal: this.#signal });
      }
    }
  }

  #refuseWhereItLed(text = ''): void {
    const { browser, origins, profile } = this.#way;
    if (browser.wanted !== undefined && !origins.trusts(browser.wanted)) {
      const origin = originOf(browser.wanted);
      throw refusal(
        'portal-changed',
        `the portal led to ${origin}, where the login must not be typed`,
        `if that is where one logs in, add "${origin}" to trustedOrigins in the portal profile; otherwise find out who sends us there`,
      );
    }
    if (browser.networkError) throw fromBrowser(new Error(browser.networkError), 'on the way to Developer Tools');
    if (browser.status !== undefined && (browser.status >= 500 || browser.status === 429)) {
      if (anyOf(profile.messages.captcha).test(text)) throw captcha();
      throw trouble('portal-unavailable', `the portal answered ${browser.status} for ${this.#here()}`);
    }
  }

  /** A page that is left for one that does not come answers nothing any more. */
  unreadable(): RotationError {
    const { pageMs } = this.#way.profile.times;
    return trouble(
      'portal-unavailable',
      this.#typed
        ? `the portal did not answer the login within ${pageMs} ms`
        : `the page could not be read within ${pageMs} ms`,
      'none if the retry succeeds; otherwise log in by hand, and see the provider’s status page',
    );
  }

  #entered(): void {
    if (this.#passwordTyped && !this.#loggedIn) this.#way.log('login');
    this.#loggedIn = true;
  }

  /** Whether the answer to what was typed is still to come. @throws what it is, where it is a refusal */
  #awaitsAnswer(seen: Sight, idleMs: number): boolean {
    const { browser, profile } = this.#way;
    const typed = this.#typed;
    // It has taken the user name, and leaves it to be changed.
    if (typed?.field === 'username' && seen.password > 0 && idleMs > profile.times.settleMs / 3) return false;
    // A refused password may lead back to where the user name is asked for alone.
    const isBack = typed !== undefined && typed.field !== 'username' && seen.code === 0 && seen.username > 0;
    if (!typed || (seen[typed.field] === 0 && !isBack)) return false;
    const fresh = seen.text
      .split('\n')
      .filter((line) => !typed.before.has(line))
      .join('\n');
    const says = (labels: readonly string[]) => anyOf(labels).test(fresh);
    const isSettled = idleMs > profile.times.settleMs;
    const cameBack = browser.documents > typed.document && isSettled;
    if (/answered 5\d\d/.test(browser.writeFailed ?? '') && !browser.isWriting)
      throw trouble('portal-unavailable', `at the login ${browser.writeFailed}`);
    if (says(profile.messages.captcha)) throw captcha();
    if (says(profile.messages.accountLocked)) throw accountLocked();
    if (says(profile.messages.passwordExpired))
      throw loginRefused(
        'the portal wants another password to be chosen before it goes on',
        'change the password by hand, then store it as a new version of the login secret',
      );
    if (/answered 4[12]9/.test(browser.writeFailed ?? '') && isSettled)
      throw trouble('portal-unavailable', `at the login ${browser.writeFailed}`);
    if (says(profile.messages.tryLater) && !this.#isDenied && isSettled)
      throw trouble('portal-unavailable', 'the portal says that it could not take the login now');
    if (typed.field === 'code') {
      if (!says(profile.messages.codeRefused) && !cameBack) return !this.#wasNeverSent(idleMs);
      if (this.#codes.length < 2) return false;
      throw loginRefused(
        'the portal refused two one-time codes in a row',
        'check totp_secret in the login secret, and that the portal’s clock is right',
      );
    }
    // Many apps say it in words of their own, or with a colour; the answer's status says it too.
    const denied = this.#isDenied && isSettled && browser.underWay.size === 0;
    if (!says(profile.messages.loginRefused) && !cameBack && !denied) return !this.#wasNeverSent(idleMs);
    throw this.#refused(
      typed.field,
      says(profile.messages.loginRefused)
        ? ''
        : ` (the form is there again, without a message that is known${this.#unknownPage})`,
    );
  }

  /** The portal has said so by its status. */
  get #isDenied(): boolean {
    return /answered 4(00|01|03|22)\b/.test(this.#way.browser.writeFailed ?? '');
  }

  #refused(field: Field, how: string): LoginRefused {
    return loginRefused(
      `the portal refused the ${field}${how}; it was typed once and will not be again`,
      'log in by hand with the stored login, then store the correct one as a new version of the login secret',
    );
  }

  /** Without the fields of forms that only look like a login: a code for a discount, an e-mail address in a profile, a new password. */
  #ofLogin(seen: Sight): Sight {
    const begun = (this.#typed !== undefined || this.#passwordTyped) && !this.#loggedIn;
    const asksForCode = begun || seen.oneTime > 0 || anyOf(this.#way.profile.labels.oneTimeCode).test(seen.text);
    const asksAgain = !this.#passwordTyped || seen.password > 0 || placeOf(seen.url) === this.#usernameAt;
    const password = this.#passwordTyped ? seen.password - seen.newPassword : seen.password;
    return { ...seen, password, code: asksForCode ? seen.code : 0, username: asksAgain ? seen.username : 0 };
  }

  /** Whether a page that is shown in the login's place asks for an e-mail address too, and for the login behind a link. */
  async #leavesLeadForm(seen: Sight): Promise<boolean> {
    if (seen.password + seen.code > 0 || this.#typed) return false;
    const { profile } = this.#way;
    const form = loginFields(this.#page, profile).username.first().locator('xpath=ancestor::form[1]');
    const named = searching(form, { find: 'clickable', name: profile.labels.submitLogin });
    const sends = named.filter({ hasNotText: /^\s*submit\s*$/i });
    return (await form.count()) === 1 && (await sends.count()) === 0 && this.#enterLogin();
  }

  /** Whether the page says that it leads on by itself. */
  #goesOn({ text, refreshes }: Sight): boolean {
    return this.#passwordTyped && !this.#loggedIn && (refreshes || anyOf(this.#way.profile.messages.goesOn).test(text));
  }

  /** A page that was not ready, or that was drawn anew at that moment, loses a click. */
  #wasNeverSent(idleMs: number): boolean {
    return idleMs >= this.#way.profile.times.settleMs * 2 ** this.#typedAgain && this.#takeBack();
  }

  /** @returns whether it may be typed again, as what has not left the browser may */
  #takeBack(): boolean {
    const { browser } = this.#way;
    const typed = this.#typed;
    const sent =
      !typed || browser.writes > typed.writes || browser.documents > typed.document || browser.underWay.size > 0;
    if (sent || browser.hasSocket || this.#typedAgain === 3) return false;
    this.#typedAgain += 1;
    this.#typed = undefined;
    if (typed.field === 'code') this.#codes.pop();
    if (typed.field === 'password') {
      this.#passwordTyped = false;
      this.#way.loginsLeft += 1;
    }
    return true;
  }

  async #fillIn(seen: Sight): Promise<void> {
    const { account, profile } = this.#way;
    const fields = loginFields(this.#page, profile);
    if (anyOf(profile.messages.captcha).test(seen.text)) throw captcha();
    if (!this.#way.origins.trusts(this.#page.url()))
      throw trouble('portal-changed', 'the page changed while the login was about to be typed');
    const field = seen.password > 0 ? 'password' : seen.code > 0 ? 'code' : 'username';
    const { browser } = this.#way;
    browser.writeFailed = undefined;
    browser.carried = 0;
    const { documents: document, writes, answeredWrites: answers } = browser;
    const typing = { field, document, writes, answers, before: new Set(seen.text.split('\n')) } as const;
    if (field === 'code') {
      const code = await this.#nextCode(seen.text);
      this.#way.told.add(code);
      browser.awaited = carries(code);
      this.#typed = typing;
      const boxes = fields.code.filter({ visible: true });
      if ((await boxes.count()) === 1) {
        await fill(boxes, code, profile);
      } else {
        await boxes.first().focus();
        await this.#page.keyboard.type(code);
      }
      // Some forms send themselves at the last digit: a second time the same code is refused.
      if (await lookFor(selfSentMs, async () => browser.carried > 0 || browser.documents > document)) return;
      return this.#submit(boxes.last());
    }
    if (this.#typed?.field === 'username' && field === 'username') return;
    if (seen.username > 0) {
      const username = await onlyNow(fields.username, 'field for the user name', this.#page);
      if (!username) return;
      this.#way.told.add(account.username);
      if ((await username.inputValue()) !== account.username) await fill(username, account.username, profile);
      if (field === 'username') {
        this.#usernameAt = placeOf(this.#page.url());
        browser.awaited = carries(account.username);
        this.#typed = typing;
        return this.#submit(username);
      }
    }
    if (this.#passwordTyped || this.#way.loginsLeft === 0)
      throw refusal(
        'login',
        `the portal asks for the login again after it was given${this.#unknownPage}`,
        'log in by hand and see whether the session lasts',
      );
    const password = await onlyNow(fields.password, 'field for the password', this.#page);
    if (!password) return;
    if (seen.username === 0 && this.#typed === undefined) await this.#fillNameless(password);
    this.#typed = typing;
    this.#passwordTyped = true;
    this.#way.loginsLeft -= 1;
    this.#way.told.add(account.username).add(account.password);
    browser.awaited = carries(account.password);
    await fill(password, account.password, profile);
    return this.#submit(password);
  }

  /** A password alone would be refused: with it goes the one text field of its form, whatever that is called. */
  async #fillNameless(password: Locator): Promise<void> {
    const form = password.locator('xpath=ancestor::form[1]');
    const others = form.locator('input:not([type]),input[type=text],input[type=tel]').filter({ visible: true });
    if ((await others.count()) === 0) return;
    const username = await only(others, 'field for the user name', this.#page);
    await fill(username, this.#way.account.username, this.#way.profile);
  }

  async #submit(field: Locator): Promise<void> {
    const { profile } = this.#way;
    const { labels, locators, times } = profile;
    const form = field.locator('xpath=ancestor::form[1]');
    const scope = (await form.count()) === 1 ? form : this.#page.locator('body');
    const named = locators.submitLogin
      ? this.#page.locator(locators.submitLogin)
      : searching(scope, { find: 'clickable', name: labels.submitLogin }).and(this.#page.locator(':not([role=tab])'));
    try {
      for (const button of [named, form.locator('[type=submit],button:not([type])').filter({ visible: true })]) {
        if ((await button.count()) !== 1) continue;
        // One that is enabled late tells of a page that got ready only then, and may have forgotten what was typed. One that has gone
        // has been clicked by the page itself.
        for (const until = performance.now() + times.clickMs; performance.now() < until; await sleep(pollMs.least))
          if (
            await button.isEnabled({ timeout: firstTryMs }).catch((error) => isTimeout(error) || Promise.reject(error))
          )
            break;
        if ((await field.inputValue({ timeout: firstTryMs })) === '' && this.#takeBack()) return;
        return await click(button, 'the button of the login form', profile, true);
      }
      await field.press('Enter', { timeout: firstTryMs, noWaitAfter: true });
    } catch (error) {
      // Some forms send themselves at the last digit.
      if ((await field.count()) > 0) throw error;
    }
  }

  async #nextCode(text: string): Promise<string> {
    const { account, profile } = this.#way;
    if (anyOf(profile.messages.enrolment).test(text))
      throw refusal(
        'login',
        'the portal wants a second factor to be set up before it goes on',
        'set it up by hand, and store its seed as totp_secret in the login secret',
      );
    if (anyOf(profile.messages.mailedCode).test(text)) throw mailedCode();
    if (account.totpSecret === undefined)
      throw refusal(
        'login',
        'the portal asks for a one-time code and the login secret has no totp_secret',
        'store the authenticator’s seed as totp_secret in the login secret',
      );
    const code = await nextCode(oneTimeCodes(account.totpSecret), this.#codes, this.#signal);
    this.#codes.push(code);
    return code;
  }

  async #answerInterstitial(text: string): Promise<boolean> {
    const { profile } = this.#way;
    const { forbidden, noClient, rotating } = profile.messages;
    const unanswerable = [...forbidden, ...noClient, ...rotating];
    const said = profile.interstitials.filter(({ says }) => anyOf(says).test(text));
    for (const { label, says } of said.flatMap(({ says, answer }) => answer.map((label) => ({ label, says })))) {
      if (this.#tried.filter((tried) => tried === label).length > 1) continue;
      // What comes next may take its time to fade in.
      if (this.#tried.at(-1) === label && performance.now() - this.#since < profile.times.settleMs) return true;
      // What it has said already is not to be answered otherwise.
      if (this.#answered.text === text && this.#answered.label !== label) continue;
      const { decline } = profile.labels;
      const button = searching(this.#page, { find: 'answer', name: [label], says, otherLabels: unanswerable, decline });
      if ((await button.count()) !== 1) continue;
      this.#answered = { label, text };
      this.#tried.push(label);
      await click(button, 'the answer to a page in between', profile);
      this.#since = performance.now();
      return true;
    }
    return false;
  }

  /** A page that is shown in the login's place, once: "Log in", "Log in again", "Sign in with e-mail". */
  async #enterLogin(): Promise<boolean> {
    const { profile } = this.#way;
    if (this.#passwordTyped || this.#loggedIn) return false;
    for (const label of profile.labels.enterLogin) {
      const named = searching(this.#page, { find: 'clickable', name: [label] });
      const entry = named.and(this.#page.locator(`:not(${sendsPassword})`));
      if ((await entry.count()) !== 1 || this.#tried.includes(label)) continue;
      this.#tried.push(label);
      await click(entry, 'what leads to the login', profile);
      this.#since = performance.now();
      return true;
    }
    return false;
  }

  async #revealIds(): Promise<boolean> {
    const { browser, profile } = this.#way;
    if (this.#revealedIn === browser.documents || !(await revealIds(this.#page, profile))) return false;
    this.#revealedIn = browser.documents;
    // A slow app shows it later than the click.
    this.#since = performance.now();
    return true;
  }

  /** Not at once: the ids may be still to come. */
  async #copyIds(idleMs: number): Promise<boolean> {
    const { documents } = this.#way.browser;
    const times = this.#copied.get(documents) ?? 0;
    if (idleMs < this.#way.profile.times.settleMs / 5 || times > 2 || !(await copyIds(this.#way))) return false;
    this.#copied.set(documents, times + 1);
    return true;
  }

  /** What leads to Developer Tools, or on from there; not the page's own entry in a menu. */
  #developerTools(label: readonly string[] = this.#way.profile.labels.developerTools): Locator {
    const named = searching(this.#page, { find: 'entry', name: label });
    return named.and(this.#page.locator(':not([aria-current=page])'));
  }

  /** By the URL once more, then by the menu, each entry once. */
  async #onward(): Promise<void> {
    const { browser, account, profile } = this.#way;
    const { labels, locators } = profile;
    if (this.#typed?.field === 'password' && this.#isDenied) throw this.#refused('password', '');
    this.#entered();
    // What is asked for from here on is no answer to what was typed.
    this.#typed = undefined;
    if (!this.#unknownPage)
      this.#unknownPage = `; before it came ${this.#here()}, which has to click: ${await buttonsOn(this.#page)}`;
    const once = (name: string) => !this.#tried.includes(name) && this.#tried.push(name) > 0;
    const restart = (waitedMs: number) => {
      this.#since = performance.now() - waitedMs;
    };
    if (browser.newTab !== undefined) {
      const tab = browser.newTab;
      browser.newTab = undefined;
      return this.goTo(tab);
    }
    const atUrl = this.#page.url() === account.developerToolsUrl;
    // Once found in vain, it need not be tried each time.
    // A session that lives in the page alone would not outlive it.
    const [likeliest = ''] = labels.developerTools;
    const isAtHand =
      this.#passwordTyped &&
      !this.#tried.includes(likeliest) &&
      (await this.#developerTools([likeliest]).count()) === 1;
    if (!this.#way.byMenu && !isAtHand && once('the URL') && !atUrl) return this.goTo(account.developerToolsUrl);
    const entry = (name: readonly string[]) => searching(this.#page, { find: 'entry', name });
    const shown = (locator: Locator) => locator.filter({ visible: true });
    // What one sees on it may be a picture, initials or the user name.
    const named = (role: 'button' | 'link') => shown(this.#page.getByRole(role, { name: anyOf(labels.profileMenu) }));
    const profileMenu = locators.profileMenu
      ? this.#page.locator(locators.profileMenu)
      : (await named('button').count()) > 0
        ? named('button')
        : entry([...labels.profileMenu, account.username]).or(named('link'));
    const icons = shown(this.#page.locator(profileIcon)).filter({ hasNotText: /\S{3}/ });
    const menu: [string, Locator][] = [
      ...labels.developerTools.map((label): [string, Locator] => [label, this.#developerTools([label])]),
      ...labels.manageAccount.map((label): [string, Locator] => [label, entry([label])]),
      ['the profile menu', profileMenu],
      ...((await icons.count()) === 1 ? [['the profile icon', icons] as [string, Locator]] : []),
      ['the navigation', entry(labels.navigation)],
      ['what opens a menu', shown(this.#page.locator('[aria-haspopup=menu],[aria-haspopup=true]'))],
    ];
    // Its menu may have been closed again by a click on something else; what has not been tried at all goes before.
    const times = (name: string) => this.#tried.filter((tried) => tried === name).length;
    for (const [name, target] of menu.sort(([one], [other]) => times(one) - times(other))) {
      if (times(name) > 2 || (await target.count()) === 0) continue;
      this.#tried.push(name);
      await click(await only(target, `entry of the menu: ${name}`, this.#page), name, profile);
      // What it has opened is there soon.
      return restart(profile.times.settleMs - 200);
    }
    if (once('the home page')) return this.goTo(new URL('/', account.developerToolsUrl).href);
  }

  async #challenged(): Promise<boolean> {
    const frames = 'iframe[src*="captcha" i],iframe[title*="captcha" i],iframe[src*="challenge" i]';
    return (await this.#page.locator(frames).filter({ visible: true }).count()) > 0;
  }

  async #lost(seen: Sight): Promise<RotationError> {
    if (await this.#challenged()) return captcha();
    const { browser, profile } = this.#way;
    const answered =
      browser.status === 200 || browser.status === undefined ? '' : ` (which answered ${browser.status})`;
    const text = await visibleText(this.#page.locator('body')).catch(() => '');
    // Under a login that was sent and answered it is a refusal in other words.
    const typed = this.#typed;
    const isAnswered =
      typed !== undefined &&
      typed.field !== 'username' &&
      seen[typed.field] > 0 &&
      browser.carried > 0 &&
      browser.answeredWrites > typed.answers &&
      !browser.isWriting;
    if (isAnswered) {
      if (anyOf(profile.messages.approval).test(text)) return mailedCode();
      // Another question may lie over the form.
      const dialogs = this.#page.locator('dialog[open],[role=dialog],[role=alertdialog]').filter({ visible: true });
      const others = dialogs.filter({ hasNot: this.#page.locator('[type=password]') });
      if ((await others.count()) === 0) return this.#refused(typed.field, ', it seems');
    }
    // A page that could not get its data may get it at the next try.
    return (anyOf(profile.messages.failed).test(text) ? trouble : refusal)(
      'portal-changed',
      `neither the client id nor a way to it was found on ${this.#here()}${answered} within ${profile.times.pageMs} ms; what it has to click: ${await buttonsOn(this.#page)}${this.#unknownPage}`,
      'open Developer Tools by hand and compare: correct developer_tools_url, or labels.clientId, labels.username or labels.developerTools in the portal profile',
    );
  }

  #here(): string {
    return placeOf(this.#page.url()) ?? 'a page without an address';
  }
}

/** A query may hold what is valid once. */
function withoutQuery(text: string): string {
  const { origin, pathname, hash } = new URL(text);
  return `${origin}${pathname}${hash}`;
}

/** Whether a request sends this value, in whatever form. */
function carries(value: string): (body: string) => boolean {
  const redactor = new Redactor();
  redactor.learn(value);
  return (body) => redactor.redact(body) !== body;
}
